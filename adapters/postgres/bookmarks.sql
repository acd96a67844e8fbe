-- name: read
SELECT text FROM bookmark WHERE name = %(name)s

-- name: write
INSERT INTO bookmark (name, text) VALUES (%(name)s, %(text)s)
ON CONFLICT (name) DO UPDATE SET text = excluded.text

-- name: all
SELECT name, text FROM bookmark
