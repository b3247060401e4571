"""ingest: requests of widgets and servers → checked responses in the queue, answered with 202.

    routes → body → origins → responses → message → queue

routes.py is where a request comes in; each other module is one step on its way.
"""
