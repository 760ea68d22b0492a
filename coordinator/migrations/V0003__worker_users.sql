-- Whose attempt it is. What is said of an attempt counts only from the RabbitMQ user that claimed it.

ALTER TABLE attempts
    ADD COLUMN amqp_user text,  -- null: it was claimed before users were recorded
    ADD COLUMN stranger  text;  -- another user that last spoke for it, in vain
