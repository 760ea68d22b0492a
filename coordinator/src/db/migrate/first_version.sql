-- A database of the first schema, with data in it, as pg_dump writes it (--inserts --no-owner --no-privileges).
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
-- Name: ensure_partitions(); Type: FUNCTION; Schema: public; Owner: -
CREATE FUNCTION public.ensure_partitions() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    month date;
    parent text;
BEGIN
    -- Partitions that are there already are no news.
    SET LOCAL client_min_messages = warning;
    FOREACH parent IN ARRAY ARRAY['job_history', 'job_logs'] LOOP
        FOR ahead IN 0..2 LOOP
            month := (date_trunc('month', tm_now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date;
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                parent || to_char(month, '_YYYY_MM'), parent,
                month::timestamp AT TIME ZONE 'UTC',
                (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
        END LOOP;
    END LOOP;
END $$;
-- Name: tm_now(); Type: FUNCTION; Schema: public; Owner: -
CREATE FUNCTION public.tm_now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT clock_timestamp()$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
-- Name: attempts; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.attempts (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claim_id uuid NOT NULL,
    worker_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    error_class text,
    error text,
    exit_code integer,
    CONSTRAINT attempts_error_class_check CHECK ((error_class = ANY (ARRAY['retryable'::text, 'permanent'::text]))),
    CONSTRAINT attempts_outcome_known CHECK ((outcome = ANY (ARRAY['done'::text, 'failed'::text, 'interrupted'::text, 'cancelled'::text, 'lost'::text]))),
    CONSTRAINT outcome_iff_ended CHECK (((outcome IS NULL) = (ended_at IS NULL)))
);
-- Name: heartbeat_probe; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.heartbeat_probe (
    singleton boolean DEFAULT true NOT NULL,
    continuous_since timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT heartbeat_probe_singleton_check CHECK (singleton)
)
WITH (fillfactor='50');
-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.idempotency_keys (
    key text NOT NULL,
    job_id uuid NOT NULL,
    expires_at timestamp with time zone
);
-- Name: items; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.items (
    job_id uuid NOT NULL,
    name text NOT NULL,
    "position" integer NOT NULL,
    state text NOT NULL,
    attempt integer NOT NULL,
    files jsonb NOT NULL,
    duration_ms bigint NOT NULL,
    error text,
    CONSTRAINT items_state_known CHECK ((state = ANY (ARRAY['done'::text, 'failed'::text, 'skipped'::text])))
);
-- Name: job_details; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_details (
    job_id uuid NOT NULL,
    template text,
    template_parameters jsonb,
    process_id text,
    step_id text,
    step_name text,
    project text,
    source text,
    target text,
    parameters jsonb NOT NULL,
    callback_url text,
    extra jsonb NOT NULL,
    submitted_by text NOT NULL,
    manifest jsonb
);
-- Name: job_history; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_history (
    id uuid NOT NULL,
    plugin text NOT NULL,
    title text NOT NULL,
    state text NOT NULL,
    priority smallint NOT NULL,
    attempt integer NOT NULL,
    claim_attempt integer,
    claim_id uuid,
    submitted_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    items_done integer NOT NULL,
    items_failed integer NOT NULL,
    items_total integer NOT NULL,
    bytes bigint NOT NULL,
    error text,
    summary jsonb NOT NULL,
    template text,
    template_parameters jsonb,
    process_id text,
    step_id text,
    step_name text,
    project text,
    source text,
    target text,
    parameters jsonb NOT NULL,
    callback_url text,
    extra jsonb NOT NULL,
    submitted_by text NOT NULL,
    manifest jsonb,
    CONSTRAINT error_iff_error_state CHECK (((state = 'ERROR'::text) = (error IS NOT NULL))),
    CONSTRAINT job_history_state_final CHECK ((state = ANY (ARRAY['DONE'::text, 'ERROR'::text, 'CANCELLED'::text])))
)
PARTITION BY RANGE (finished_at);
-- Name: job_history_2026_11; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_history_2026_11 (
    id uuid NOT NULL,
    plugin text NOT NULL,
    title text NOT NULL,
    state text NOT NULL,
    priority smallint NOT NULL,
    attempt integer NOT NULL,
    claim_attempt integer,
    claim_id uuid,
    submitted_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    items_done integer NOT NULL,
    items_failed integer NOT NULL,
    items_total integer NOT NULL,
    bytes bigint NOT NULL,
    error text,
    summary jsonb NOT NULL,
    template text,
    template_parameters jsonb,
    process_id text,
    step_id text,
    step_name text,
    project text,
    source text,
    target text,
    parameters jsonb NOT NULL,
    callback_url text,
    extra jsonb NOT NULL,
    submitted_by text NOT NULL,
    manifest jsonb,
    CONSTRAINT error_iff_error_state CHECK (((state = 'ERROR'::text) = (error IS NOT NULL))),
    CONSTRAINT job_history_state_final CHECK ((state = ANY (ARRAY['DONE'::text, 'ERROR'::text, 'CANCELLED'::text])))
);
-- Name: job_history_2026_12; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_history_2026_12 (
    id uuid NOT NULL,
    plugin text NOT NULL,
    title text NOT NULL,
    state text NOT NULL,
    priority smallint NOT NULL,
    attempt integer NOT NULL,
    claim_attempt integer,
    claim_id uuid,
    submitted_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    items_done integer NOT NULL,
    items_failed integer NOT NULL,
    items_total integer NOT NULL,
    bytes bigint NOT NULL,
    error text,
    summary jsonb NOT NULL,
    template text,
    template_parameters jsonb,
    process_id text,
    step_id text,
    step_name text,
    project text,
    source text,
    target text,
    parameters jsonb NOT NULL,
    callback_url text,
    extra jsonb NOT NULL,
    submitted_by text NOT NULL,
    manifest jsonb,
    CONSTRAINT error_iff_error_state CHECK (((state = 'ERROR'::text) = (error IS NOT NULL))),
    CONSTRAINT job_history_state_final CHECK ((state = ANY (ARRAY['DONE'::text, 'ERROR'::text, 'CANCELLED'::text])))
);
-- Name: job_history_2027_01; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_history_2027_01 (
    id uuid NOT NULL,
    plugin text NOT NULL,
    title text NOT NULL,
    state text NOT NULL,
    priority smallint NOT NULL,
    attempt integer NOT NULL,
    claim_attempt integer,
    claim_id uuid,
    submitted_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    items_done integer NOT NULL,
    items_failed integer NOT NULL,
    items_total integer NOT NULL,
    bytes bigint NOT NULL,
    error text,
    summary jsonb NOT NULL,
    template text,
    template_parameters jsonb,
    process_id text,
    step_id text,
    step_name text,
    project text,
    source text,
    target text,
    parameters jsonb NOT NULL,
    callback_url text,
    extra jsonb NOT NULL,
    submitted_by text NOT NULL,
    manifest jsonb,
    CONSTRAINT error_iff_error_state CHECK (((state = 'ERROR'::text) = (error IS NOT NULL))),
    CONSTRAINT job_history_state_final CHECK ((state = ANY (ARRAY['DONE'::text, 'ERROR'::text, 'CANCELLED'::text])))
);
-- Name: job_history_default; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_history_default (
    id uuid NOT NULL,
    plugin text NOT NULL,
    title text NOT NULL,
    state text NOT NULL,
    priority smallint NOT NULL,
    attempt integer NOT NULL,
    claim_attempt integer,
    claim_id uuid,
    submitted_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    items_done integer NOT NULL,
    items_failed integer NOT NULL,
    items_total integer NOT NULL,
    bytes bigint NOT NULL,
    error text,
    summary jsonb NOT NULL,
    template text,
    template_parameters jsonb,
    process_id text,
    step_id text,
    step_name text,
    project text,
    source text,
    target text,
    parameters jsonb NOT NULL,
    callback_url text,
    extra jsonb NOT NULL,
    submitted_by text NOT NULL,
    manifest jsonb,
    CONSTRAINT error_iff_error_state CHECK (((state = 'ERROR'::text) = (error IS NOT NULL))),
    CONSTRAINT job_history_state_final CHECK ((state = ANY (ARRAY['DONE'::text, 'ERROR'::text, 'CANCELLED'::text])))
);
-- Name: job_logs; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_logs (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claim_id uuid NOT NULL,
    line integer NOT NULL,
    job_submitted_at timestamp with time zone NOT NULL,
    at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    text text NOT NULL
)
PARTITION BY RANGE (job_submitted_at);
-- Name: job_logs_2026_11; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_logs_2026_11 (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claim_id uuid NOT NULL,
    line integer NOT NULL,
    job_submitted_at timestamp with time zone NOT NULL,
    at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    text text NOT NULL
);
-- Name: job_logs_2026_12; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_logs_2026_12 (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claim_id uuid NOT NULL,
    line integer NOT NULL,
    job_submitted_at timestamp with time zone NOT NULL,
    at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    text text NOT NULL
);
-- Name: job_logs_2027_01; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_logs_2027_01 (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claim_id uuid NOT NULL,
    line integer NOT NULL,
    job_submitted_at timestamp with time zone NOT NULL,
    at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    text text NOT NULL
);
-- Name: job_logs_default; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.job_logs_default (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claim_id uuid NOT NULL,
    line integer NOT NULL,
    job_submitted_at timestamp with time zone NOT NULL,
    at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    text text NOT NULL
);
-- Name: job_positions; Type: SEQUENCE; Schema: public; Owner: -
CREATE SEQUENCE public.job_positions
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
-- Name: jobs; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.jobs (
    id uuid NOT NULL,
    plugin text NOT NULL,
    title text NOT NULL,
    state text NOT NULL,
    priority smallint NOT NULL,
    "position" bigint DEFAULT nextval('public.job_positions'::regclass) NOT NULL,
    dispatch bigint DEFAULT 1 NOT NULL,
    published_dispatch bigint DEFAULT 0 NOT NULL,
    published_at timestamp with time zone,
    relay_until timestamp with time zone,
    attempt integer DEFAULT 0 NOT NULL,
    claim_attempt integer,
    claim_id uuid,
    held boolean DEFAULT false NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    publish_granted boolean DEFAULT false NOT NULL,
    workers_lost smallint DEFAULT 0 NOT NULL,
    run_at timestamp with time zone,
    queued_at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    submitted_at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    started_at timestamp with time zone,
    CONSTRAINT claim_is_whole CHECK (((claim_attempt IS NULL) = (claim_id IS NULL))),
    CONSTRAINT claimed_iff_running CHECK (((state = ANY (ARRAY['BLOCKED'::text, 'SCHEDULED'::text, 'QUEUED'::text])) OR (claim_id IS NOT NULL))),
    CONSTRAINT jobs_priority_check CHECK (((priority >= 0) AND (priority <= 10))),
    CONSTRAINT jobs_state_unfinished CHECK ((state = ANY (ARRAY['BLOCKED'::text, 'SCHEDULED'::text, 'QUEUED'::text, 'STARTED'::text, 'WAITINGFORUPLOAD'::text, 'UPLOAD'::text, 'PROCESSING'::text, 'DOWNLOAD'::text]))),
    CONSTRAINT published_not_ahead CHECK ((published_dispatch <= dispatch)),
    CONSTRAINT run_at_iff_scheduled CHECK (((state = 'SCHEDULED'::text) = (run_at IS NOT NULL)))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='500');
-- Name: leases; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.leases (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    claim_id uuid NOT NULL,
    worker_id text NOT NULL,
    lease_seconds integer NOT NULL,
    lease_end timestamp with time zone NOT NULL,
    percent real DEFAULT 0 NOT NULL,
    items_done integer DEFAULT 0 NOT NULL,
    items_failed integer DEFAULT 0 NOT NULL,
    items_total integer DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL,
    detail text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='500');
-- Name: plugins; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.plugins (
    name text NOT NULL,
    title_en text NOT NULL,
    title_de text NOT NULL,
    needs_source boolean NOT NULL,
    needs_target boolean NOT NULL,
    needs_template boolean NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,
    default_priority smallint DEFAULT 5 NOT NULL,
    lease_seconds integer DEFAULT 60 NOT NULL,
    run_budget_seconds integer DEFAULT 86400 NOT NULL,
    created_at timestamp with time zone DEFAULT public.tm_now() NOT NULL,
    CONSTRAINT plugins_default_priority_check CHECK (((default_priority >= 0) AND (default_priority <= 10))),
    CONSTRAINT plugins_lease_seconds_check CHECK (((lease_seconds >= 1) AND (lease_seconds <= 3600))),
    CONSTRAINT plugins_name_check CHECK ((name ~ '^[A-Z][A-Z0-9_-]{0,39}$'::text)),
    CONSTRAINT plugins_run_budget_seconds_check CHECK ((run_budget_seconds > 0)),
    CONSTRAINT plugins_state_known CHECK ((state = ANY (ARRAY['running'::text, 'stopping'::text, 'stopped'::text])))
);
-- Name: refinery_schema_history; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.refinery_schema_history (
    version integer NOT NULL,
    name character varying(255),
    applied_on character varying(255),
    checksum character varying(255)
);
-- Name: statistics; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.statistics (
    day date NOT NULL,
    plugin text NOT NULL,
    project text NOT NULL,
    outcome text NOT NULL,
    jobs bigint NOT NULL,
    items bigint NOT NULL,
    bytes bigint NOT NULL,
    seconds double precision NOT NULL
);
-- Name: worker_plugins; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.worker_plugins (
    worker_id text NOT NULL,
    plugin text NOT NULL,
    slots smallint NOT NULL,
    CONSTRAINT worker_plugins_slots_check CHECK ((slots > 0))
);
-- Name: workers; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.workers (
    id text NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    version text NOT NULL,
    amqp_user text NOT NULL,
    draining boolean NOT NULL,
    rss_bytes bigint DEFAULT 0 NOT NULL,
    reply_to text NOT NULL,
    checks jsonb NOT NULL,
    announced_at timestamp with time zone NOT NULL,
    heartbeat_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');
-- Name: job_history_2026_11; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history ATTACH PARTITION public.job_history_2026_11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
-- Name: job_history_2026_12; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history ATTACH PARTITION public.job_history_2026_12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
-- Name: job_history_2027_01; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history ATTACH PARTITION public.job_history_2027_01 FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
-- Name: job_history_default; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history ATTACH PARTITION public.job_history_default DEFAULT;
-- Name: job_logs_2026_11; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs ATTACH PARTITION public.job_logs_2026_11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
-- Name: job_logs_2026_12; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs ATTACH PARTITION public.job_logs_2026_12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
-- Name: job_logs_2027_01; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs ATTACH PARTITION public.job_logs_2027_01 FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
-- Name: job_logs_default; Type: TABLE ATTACH; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs ATTACH PARTITION public.job_logs_default DEFAULT;
-- Data for Name: attempts; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.attempts VALUES ('0198c0de-0000-7000-8000-000000000001', 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a495867', 'ocr-1/boot/uuid', '2026-07-01 06:10:01+00', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attempts VALUES ('0198c0de-0000-7000-8000-000000000002', 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a495868', 'ocr-1/boot/uuid', '2026-07-01 06:10:40+00', '2026-07-01 06:11:00+00', 'interrupted', NULL, 'the worker was shut down', NULL);
-- Data for Name: heartbeat_probe; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.heartbeat_probe VALUES (true, '2026-11-22 02:56:21.031229+00', '2026-11-22 02:56:21.03124+00');
-- Data for Name: idempotency_keys; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.idempotency_keys VALUES ('derived:27', '0198c0de-0000-7000-8000-000000000001', NULL);
-- Data for Name: items; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.items VALUES ('0198c0de-0000-7000-8000-000000000001', '0001.jpg', 1, 'done', 1, '[]', 1200, NULL);
INSERT INTO public.items VALUES ('0198c0de-0000-7000-8000-000000000001', '0002.jpg', 2, 'done', 1, '[]', 1300, NULL);
-- Data for Name: job_details; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.job_details VALUES ('0198c0de-0000-7000-8000-000000000001', NULL, NULL, '27', NULL, NULL, NULL, '/data/27/images', '/data/27', '{"language": "deu"}', NULL, '{"serverType": "x"}', 'amqp:goobi', NULL);
INSERT INTO public.job_details VALUES ('0198c0de-0000-7000-8000-000000000002', NULL, NULL, '27', NULL, NULL, NULL, '/data/27/images', '/data/27', '{"language": "deu"}', NULL, '{"serverType": "x"}', 'amqp:goobi', NULL);
INSERT INTO public.job_details VALUES ('0198c0de-0000-7000-8000-000000000003', NULL, NULL, '27', NULL, NULL, NULL, '/data/27/images', '/data/27', '{"language": "deu"}', NULL, '{"serverType": "x"}', 'amqp:goobi', NULL);
-- Data for Name: job_history_2026_11; Type: TABLE DATA; Schema: public; Owner: -
-- Data for Name: job_history_2026_12; Type: TABLE DATA; Schema: public; Owner: -
-- Data for Name: job_history_2027_01; Type: TABLE DATA; Schema: public; Owner: -
-- Data for Name: job_history_default; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.job_history_default VALUES ('0198c0de-0000-7000-8000-000000000004', 'OCR', 'ended well', 'DONE', 5, 1, 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a495869', '2026-06-30 06:00:00+00', '2026-06-30 06:00:01+00', '2026-06-30 06:05:00+00', 4, 0, 4, 2400, NULL, '{"pages": 4}', NULL, NULL, '26', NULL, NULL, NULL, NULL, NULL, '{}', NULL, '{}', 'http', NULL);
INSERT INTO public.job_history_default VALUES ('0198c0de-0000-7000-8000-000000000005', 'OCR', 'ended badly', 'ERROR', 5, 1, 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a49586a', '2026-06-30 07:00:00+00', '2026-06-30 07:00:01+00', '2026-06-30 07:05:00+00', 3, 1, 4, 2400, 'page 4 is unreadable', '{}', NULL, NULL, '25', NULL, NULL, NULL, NULL, NULL, '{}', NULL, '{}', 'http', NULL);
-- Data for Name: job_logs_2026_11; Type: TABLE DATA; Schema: public; Owner: -
-- Data for Name: job_logs_2026_12; Type: TABLE DATA; Schema: public; Owner: -
-- Data for Name: job_logs_2027_01; Type: TABLE DATA; Schema: public; Owner: -
-- Data for Name: job_logs_default; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.job_logs_default VALUES ('0198c0de-0000-7000-8000-000000000001', 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a495867', 1, '2026-07-01 06:10:00+00', '2026-07-01 06:10:02+00', 'page 0001.jpg: 420 words');
-- Data for Name: jobs; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.jobs VALUES ('0198c0de-0000-7000-8000-000000000001', 'OCR', 'runs', 'PROCESSING', 5, 1, 1, 1, NULL, NULL, 1, 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a495867', false, false, false, 0, NULL, '2026-07-01 06:10:00+00', '2026-07-01 06:10:00+00', '2026-07-01 06:10:01+00');
INSERT INTO public.jobs VALUES ('0198c0de-0000-7000-8000-000000000002', 'OCR', 'waits', 'QUEUED', 7, 2, 2, 1, NULL, NULL, 1, 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a495868', false, false, false, 0, NULL, '2026-07-01 06:11:00+00', '2026-07-01 06:10:30+00', '2026-07-01 06:10:40+00');
INSERT INTO public.jobs VALUES ('0198c0de-0000-7000-8000-000000000003', 'SHELL', 'waits too', 'QUEUED', 0, 3, 1, 0, NULL, NULL, 0, NULL, NULL, false, false, false, 0, NULL, '2026-07-01 06:12:00+00', '2026-07-01 06:12:00+00', NULL);
-- Data for Name: leases; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.leases VALUES ('0198c0de-0000-7000-8000-000000000001', 1, '6f1d2c3b-4a59-4687-9e0d-1c2b3a495867', 'ocr-1/boot/uuid', 60, '2026-07-01 06:31:00+00', 50, 2, 0, 4, 0, 'page 2 of 4');
-- Data for Name: plugins; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.plugins VALUES ('OCR', 'Text recognition', 'Texterkennung', true, true, false, 'running', 5, 60, 86400, '2026-11-22 02:56:21.149091+00');
INSERT INTO public.plugins VALUES ('SHELL', 'Command', 'Befehl', false, false, true, 'running', 5, 60, 86400, '2026-11-22 02:56:21.149495+00');
-- Data for Name: refinery_schema_history; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.refinery_schema_history VALUES (1, 'initial', '2026-11-22T02:56:20.988469417Z', '15331551875406181644');
-- Data for Name: statistics; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.statistics VALUES ('2026-06-30', 'OCR', '', 'done', 1, 4, 2400, 299);
INSERT INTO public.statistics VALUES ('2026-06-30', 'OCR', '', 'error', 1, 3, 2400, 299);
-- Data for Name: worker_plugins; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.worker_plugins VALUES ('ocr-1/boot/uuid', 'OCR', 2);
-- Data for Name: workers; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.workers VALUES ('ocr-1/boot/uuid', 'ocr-1', 'ocr-1', '0.1.0', 'worker', false, 0, 'amq.rabbitmq.reply-to.x', '[]', '2026-07-01 06:00:00+00', '2026-07-01 06:30:00+00');
-- Name: job_positions; Type: SEQUENCE SET; Schema: public; Owner: -
SELECT pg_catalog.setval('public.job_positions', 3, true);
-- Name: attempts attempts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (job_id, attempt, claim_id);
-- Name: heartbeat_probe heartbeat_probe_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.heartbeat_probe
    ADD CONSTRAINT heartbeat_probe_pkey PRIMARY KEY (singleton);
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key);
-- Name: items items_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (job_id, name);
-- Name: job_details job_details_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_details
    ADD CONSTRAINT job_details_pkey PRIMARY KEY (job_id);
-- Name: job_history job_history_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history
    ADD CONSTRAINT job_history_pkey PRIMARY KEY (id, finished_at);
-- Name: job_history_2026_11 job_history_2026_11_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history_2026_11
    ADD CONSTRAINT job_history_2026_11_pkey PRIMARY KEY (id, finished_at);
-- Name: job_history_2026_12 job_history_2026_12_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history_2026_12
    ADD CONSTRAINT job_history_2026_12_pkey PRIMARY KEY (id, finished_at);
-- Name: job_history_2027_01 job_history_2027_01_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history_2027_01
    ADD CONSTRAINT job_history_2027_01_pkey PRIMARY KEY (id, finished_at);
-- Name: job_history_default job_history_default_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_history_default
    ADD CONSTRAINT job_history_default_pkey PRIMARY KEY (id, finished_at);
-- Name: job_logs job_logs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs
    ADD CONSTRAINT job_logs_pkey PRIMARY KEY (job_id, attempt, claim_id, line, job_submitted_at);
-- Name: job_logs_2026_11 job_logs_2026_11_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs_2026_11
    ADD CONSTRAINT job_logs_2026_11_pkey PRIMARY KEY (job_id, attempt, claim_id, line, job_submitted_at);
-- Name: job_logs_2026_12 job_logs_2026_12_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs_2026_12
    ADD CONSTRAINT job_logs_2026_12_pkey PRIMARY KEY (job_id, attempt, claim_id, line, job_submitted_at);
-- Name: job_logs_2027_01 job_logs_2027_01_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs_2027_01
    ADD CONSTRAINT job_logs_2027_01_pkey PRIMARY KEY (job_id, attempt, claim_id, line, job_submitted_at);
-- Name: job_logs_default job_logs_default_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_logs_default
    ADD CONSTRAINT job_logs_default_pkey PRIMARY KEY (job_id, attempt, claim_id, line, job_submitted_at);
-- Name: jobs jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);
-- Name: leases leases_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (job_id);
-- Name: plugins plugins_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.plugins
    ADD CONSTRAINT plugins_pkey PRIMARY KEY (name);
-- Name: refinery_schema_history refinery_schema_history_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.refinery_schema_history
    ADD CONSTRAINT refinery_schema_history_pkey PRIMARY KEY (version);
-- Name: statistics statistics_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.statistics
    ADD CONSTRAINT statistics_pkey PRIMARY KEY (day, plugin, project, outcome);
-- Name: worker_plugins worker_plugins_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.worker_plugins
    ADD CONSTRAINT worker_plugins_pkey PRIMARY KEY (worker_id, plugin);
-- Name: workers workers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);
-- Name: idempotency_keys_expiry; Type: INDEX; Schema: public; Owner: -
CREATE INDEX idempotency_keys_expiry ON public.idempotency_keys USING btree (expires_at) WHERE (expires_at IS NOT NULL);
-- Name: idempotency_keys_job; Type: INDEX; Schema: public; Owner: -
CREATE INDEX idempotency_keys_job ON public.idempotency_keys USING btree (job_id);
-- Name: job_details_process; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_details_process ON public.job_details USING btree (process_id);
-- Name: job_history_by_time; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_by_time ON ONLY public.job_history USING btree (finished_at DESC, id DESC);
-- Name: job_history_2026_11_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2026_11_finished_at_id_idx ON public.job_history_2026_11 USING btree (finished_at DESC, id DESC);
-- Name: job_history_by_plugin; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_by_plugin ON ONLY public.job_history USING btree (plugin, state, finished_at DESC, id DESC);
-- Name: job_history_2026_11_plugin_state_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2026_11_plugin_state_finished_at_id_idx ON public.job_history_2026_11 USING btree (plugin, state, finished_at DESC, id DESC);
-- Name: job_history_process; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_process ON ONLY public.job_history USING btree (process_id);
-- Name: job_history_2026_11_process_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2026_11_process_id_idx ON public.job_history_2026_11 USING btree (process_id);
-- Name: job_history_2026_12_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2026_12_finished_at_id_idx ON public.job_history_2026_12 USING btree (finished_at DESC, id DESC);
-- Name: job_history_2026_12_plugin_state_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2026_12_plugin_state_finished_at_id_idx ON public.job_history_2026_12 USING btree (plugin, state, finished_at DESC, id DESC);
-- Name: job_history_2026_12_process_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2026_12_process_id_idx ON public.job_history_2026_12 USING btree (process_id);
-- Name: job_history_2027_01_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2027_01_finished_at_id_idx ON public.job_history_2027_01 USING btree (finished_at DESC, id DESC);
-- Name: job_history_2027_01_plugin_state_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2027_01_plugin_state_finished_at_id_idx ON public.job_history_2027_01 USING btree (plugin, state, finished_at DESC, id DESC);
-- Name: job_history_2027_01_process_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_2027_01_process_id_idx ON public.job_history_2027_01 USING btree (process_id);
-- Name: job_history_default_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_default_finished_at_id_idx ON public.job_history_default USING btree (finished_at DESC, id DESC);
-- Name: job_history_default_plugin_state_finished_at_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_default_plugin_state_finished_at_id_idx ON public.job_history_default USING btree (plugin, state, finished_at DESC, id DESC);
-- Name: job_history_default_process_id_idx; Type: INDEX; Schema: public; Owner: -
CREATE INDEX job_history_default_process_id_idx ON public.job_history_default USING btree (process_id);
-- Name: jobs_by_plugin; Type: INDEX; Schema: public; Owner: -
CREATE INDEX jobs_by_plugin ON public.jobs USING btree (plugin, state, ((- priority)), "position", id);
-- Name: jobs_published; Type: INDEX; Schema: public; Owner: -
CREATE INDEX jobs_published ON public.jobs USING btree (plugin, priority) WHERE ((state = 'QUEUED'::text) AND (published_dispatch = dispatch));
-- Name: jobs_to_publish; Type: INDEX; Schema: public; Owner: -
CREATE INDEX jobs_to_publish ON public.jobs USING btree (plugin, priority, "position") WHERE ((state = 'QUEUED'::text) AND (NOT held) AND (published_dispatch < dispatch));
-- Name: job_history_2026_11_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_time ATTACH PARTITION public.job_history_2026_11_finished_at_id_idx;
-- Name: job_history_2026_11_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_pkey ATTACH PARTITION public.job_history_2026_11_pkey;
-- Name: job_history_2026_11_plugin_state_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_plugin ATTACH PARTITION public.job_history_2026_11_plugin_state_finished_at_id_idx;
-- Name: job_history_2026_11_process_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_process ATTACH PARTITION public.job_history_2026_11_process_id_idx;
-- Name: job_history_2026_12_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_time ATTACH PARTITION public.job_history_2026_12_finished_at_id_idx;
-- Name: job_history_2026_12_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_pkey ATTACH PARTITION public.job_history_2026_12_pkey;
-- Name: job_history_2026_12_plugin_state_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_plugin ATTACH PARTITION public.job_history_2026_12_plugin_state_finished_at_id_idx;
-- Name: job_history_2026_12_process_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_process ATTACH PARTITION public.job_history_2026_12_process_id_idx;
-- Name: job_history_2027_01_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_time ATTACH PARTITION public.job_history_2027_01_finished_at_id_idx;
-- Name: job_history_2027_01_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_pkey ATTACH PARTITION public.job_history_2027_01_pkey;
-- Name: job_history_2027_01_plugin_state_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_plugin ATTACH PARTITION public.job_history_2027_01_plugin_state_finished_at_id_idx;
-- Name: job_history_2027_01_process_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_process ATTACH PARTITION public.job_history_2027_01_process_id_idx;
-- Name: job_history_default_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_time ATTACH PARTITION public.job_history_default_finished_at_id_idx;
-- Name: job_history_default_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_pkey ATTACH PARTITION public.job_history_default_pkey;
-- Name: job_history_default_plugin_state_finished_at_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_by_plugin ATTACH PARTITION public.job_history_default_plugin_state_finished_at_id_idx;
-- Name: job_history_default_process_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_history_process ATTACH PARTITION public.job_history_default_process_id_idx;
-- Name: job_logs_2026_11_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_logs_pkey ATTACH PARTITION public.job_logs_2026_11_pkey;
-- Name: job_logs_2026_12_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_logs_pkey ATTACH PARTITION public.job_logs_2026_12_pkey;
-- Name: job_logs_2027_01_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_logs_pkey ATTACH PARTITION public.job_logs_2027_01_pkey;
-- Name: job_logs_default_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
ALTER INDEX public.job_logs_pkey ATTACH PARTITION public.job_logs_default_pkey;
-- Name: job_details job_details_job_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.job_details
    ADD CONSTRAINT job_details_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;
-- Name: jobs jobs_plugin_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_plugin_fkey FOREIGN KEY (plugin) REFERENCES public.plugins(name);
-- Name: leases leases_job_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;
-- Name: worker_plugins worker_plugins_plugin_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.worker_plugins
    ADD CONSTRAINT worker_plugins_plugin_fkey FOREIGN KEY (plugin) REFERENCES public.plugins(name);
-- Name: worker_plugins worker_plugins_worker_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.worker_plugins
    ADD CONSTRAINT worker_plugins_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES public.workers(id) ON DELETE CASCADE;
