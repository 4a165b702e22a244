"""What `irnflow up` starts on this machine: a PostgreSQL and a RabbitMQ of our own, and the demo on them."""
