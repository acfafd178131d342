"""What a company teaches its understanding: phrases, and the lessons made of them."""
