"""GET /v1/comments and GET /v1/words: what customers wrote, as it is asked for and answered."""
