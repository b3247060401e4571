"""ingest: requests of widgets and servers → checked events in the queue, answered with 202.

    routes → body → origins → responses | interactions | sessions → message → queue

routes.py is where a request comes in; each other module is one step on its way. reader.py and
fields.py hold what reading has in common, whatever the stream.
"""
