"""One module and one `.sql` file a migration."""
