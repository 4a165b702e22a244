"""The Invoice Registration Portal, seen by a client: its protocol as it documents itself (domain.md section 4)."""
