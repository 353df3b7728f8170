"""Eyes: what a camera saw, who reads it, and what becomes of a doubt. See ADR 16."""
