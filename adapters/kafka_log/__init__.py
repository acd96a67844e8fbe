"""The change log in Apache Kafka: the way to several workers on several machines.

| module | what it does |
|---|---|
| `client` | turns settings into what every client of kafka-python takes |
| `producer` | appends records and returns when all of them are durable |

Only this package imports kafka-python.
"""
