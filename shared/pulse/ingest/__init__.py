"""The stage ingest: it checks the events that pages and servers send, and puts them in the queue.

    routes → body → origins → responses | interactions | sessions → message → queue

routes.py takes the request; each other module of the drawing is one step. reader.py and fields.py
hold what the readers of all streams have in common.
"""
