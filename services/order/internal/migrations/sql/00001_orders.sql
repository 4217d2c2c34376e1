-- +goose Up
create table orders (
    id                uuid           not null,
    created_at        timestamptz(3) not null,
    user_id           text           not null,
    state             text           not null
        check (state in ('pending', 'reserved', 'paid', 'fulfilled', 'cancelled', 'refunded', 'failed')),
    version           integer        not null check (version > 0),
    items             jsonb          not null,
    total_minor       bigint         not null check (total_minor >= 0),
    currency          text           not null,
    contact_email     text           not null,
    payment_method    text           not null,
    payment_intent_id text           not null,
    client_secret     text           not null,
    refund_id         text           not null,
    reserved_until    timestamptz(3),
    reason            text           not null,
    timeline          jsonb          not null,
    updated_at        timestamptz(3) not null,
    primary key (created_at, id)
) partition by range (created_at);

create index orders_history on orders (user_id, created_at desc, id desc);

-- Takes what no month's partition takes, so that a forgotten `migrate` never refuses an order.
create table orders_default partition of orders default;

-- The unfinished business of orders: small, hot, and empty when all is well.
create table sagas (
    order_id         uuid           primary key,
    order_created_at timestamptz(3) not null,
    step             text           not null,
    reason           text           not null default '',
    cancel_requested boolean        not null default false,
    due_at           timestamptz    not null,
    nudges           integer        not null default 0,
    lease_token      uuid,
    leased_until     timestamptz,
    attempts         integer        not null default 0,
    last_error       text           not null default '',
    traceparent      text           not null default ''
);
create index sagas_due on sagas (due_at);

create table idempotency_keys (
    user_id          text           not null,
    key              text           not null,
    request_hash     bytea          not null,
    order_id         uuid           not null,
    order_created_at timestamptz(3) not null,
    status           integer,
    body             jsonb,
    created_at       timestamptz    not null default now(),
    primary key (user_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

create table outbox (
    position    bigint      generated always as identity primary key,
    event_id    uuid        not null unique,
    destination text        not null check (destination in ('broker', 'live')),
    routing_key text        not null,
    order_id    uuid        not null,
    payload     jsonb       not null,
    traceparent text        not null,
    created_at  timestamptz not null default now()
);
create index outbox_pending on outbox (destination, position);

create table stripe_events (
    id          text        primary key,
    type        text        not null,
    received_at timestamptz not null default now()
);
create index stripe_events_age on stripe_events (received_at);

create table notification_inbox (
    event_id   uuid        primary key,
    type       text        not null,
    order_id   uuid        not null,
    claimed_at timestamptz not null default now(),
    attempts   integer     not null default 1,
    sent_at    timestamptz
);
create index notification_inbox_age on notification_inbox (claimed_at);

-- +goose Down
drop table notification_inbox, stripe_events, outbox, idempotency_keys, sagas, orders;
