"""A site as a file under version control: what it says, where it is wrong, and how the store comes to agree with it."""
