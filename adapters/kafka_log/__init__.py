"""The change log in Apache Kafka: the way to several workers on several machines.

| module | what it does |
|---|---|
| `client` | turns settings into what every client of kafka-python takes |
| `producer` | appends records and returns when all of them are durable |
| `decided` | a decided event as a record, and back |
| `backlog` | what waits, in the order in which it was appended: for a recovery |
| `event_topic` | the topic of decided events: published to others, read again by a recovery |

Only this package imports kafka-python.
"""
