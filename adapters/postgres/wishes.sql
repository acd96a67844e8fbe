-- name: wishes_left
SELECT count(*) FROM refresh WHERE cause = %(cause)s
