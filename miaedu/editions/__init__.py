"""The course in other forms: a file each. What the ``miaedu`` command does is in them."""
