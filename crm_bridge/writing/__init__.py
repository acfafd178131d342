"""The writing assistant's books: the company's documents, and what was drafted from them."""
