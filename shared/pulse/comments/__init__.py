"""What customers wrote: the comments of answers, how they are searched, and their telling words."""
