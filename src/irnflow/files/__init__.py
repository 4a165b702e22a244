"""Documents in files: INV-01 JSON, CSV and XLSX are read here, checked, and handed to the books."""
