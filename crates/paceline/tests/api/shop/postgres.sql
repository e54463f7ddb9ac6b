-- A shop whose columns have every type that is told of in its own way, keys of several columns, names that must be
-- quoted, rows with owners, and rules that the server keeps.

CREATE TYPE mood AS ENUM ('calm', 'über froh', 'it''s bad');
CREATE TYPE place AS (street text, number int, since timestamptz);
CREATE DOMAIN percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);

CREATE TABLE members (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email varchar(40) NOT NULL UNIQUE,
    password_hash text,
    boss_id int REFERENCES members ON DELETE SET NULL
);
INSERT INTO members (email, boss_id) VALUES ('ada@example.com', NULL), ('bob@example.com', 1), ('zoë@example.com', 1);

CREATE TABLE values (
    id bigint PRIMARY KEY DEFAULT (random() * 9e18)::bigint,
    tiny smallint NOT NULL DEFAULT 0,
    big bigint NOT NULL DEFAULT 9007199254740993,
    single real NOT NULL DEFAULT 'NaN',
    double double precision DEFAULT '-Infinity',
    price numeric(20, 4) NOT NULL DEFAULT 1.5,
    endless numeric DEFAULT 'NaN',
    share percent,
    flag boolean,
    name text NOT NULL DEFAULT '',
    code char(5),
    mood mood NOT NULL DEFAULT 'calm',
    bytes bytea,
    day date DEFAULT 'infinity',
    local timestamp,
    moment timestamptz NOT NULL DEFAULT '2026-11-26T00:00:00Z',
    hour time,
    hour_there timetz DEFAULT '12:30+02',
    span interval DEFAULT '1 year -3 days 00:00:01.5',
    document json,
    settings jsonb NOT NULL DEFAULT '{}',
    token uuid DEFAULT gen_random_uuid(),
    numbers int[] DEFAULT '{1,NULL,3}',
    home place DEFAULT ROW('Rue "A", 1', 7, '2026-01-01T00:00:00Z'),
    homes place[],
    address inet DEFAULT '10.0.0.1/8',
    years int4range DEFAULT '[1,5)',
    bits bit varying(9) DEFAULT B'1010',
    cash money DEFAULT 12.34,
    spot point DEFAULT '(1.5,-2)',
    words tsvector,
    doubled bigint GENERATED ALWAYS AS (tiny * 2) STORED,
    CHECK (price >= 0)
);
INSERT INTO values (id) VALUES (1), (-9223372036854775808), (9223372036854775807);
INSERT INTO values (id, single, day, moment, document, settings, numbers, code, bytes, flag)
    VALUES (2, 'Infinity', '0044-03-15 BC', '-infinity', ' {"a": 1, "a": [1.50]}', '[null]', '{{1,2},{3,4}}', 'é', '\x00ff', true);

CREATE TABLE "Order Lines" (
    "order" int NOT NULL,
    "Product, code" varchar(20) NOT NULL,
    quantity smallint NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    "unit price" numeric(9, 2),
    PRIMARY KEY ("order", "Product, code")
);
INSERT INTO "Order Lines" VALUES (1, 'a,b', 1, 2.50), (1, '%2C/?#', 2, NULL), (2, '', 3, 0.10), (2, 'ü "x"', 99, 1);

CREATE TABLE tags (name text PRIMARY KEY, about text);
INSERT INTO tags (name) VALUES ('a'), ('.'), ('..'), ('b/c'), ('%'), ('ß ');

CREATE TABLE tagged (
    "order" int NOT NULL,
    "Product, code" varchar(20) NOT NULL,
    tag text NOT NULL REFERENCES tags ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY ("order", "Product, code", tag),
    FOREIGN KEY ("order", "Product, code") REFERENCES "Order Lines" ON DELETE CASCADE
);
INSERT INTO tagged VALUES (1, 'a,b', 'a'), (1, 'a,b', 'b/c'), (2, '', 'a');

CREATE TABLE notes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    member_id int NOT NULL REFERENCES members ON DELETE CASCADE,
    body text NOT NULL CHECK (body <> ''),
    rank int UNIQUE
);
INSERT INTO notes (member_id, body, rank) VALUES (1, 'mine', 1), (2, 'another''s', 2), (1, 'mine too', NULL);

CREATE TABLE log (at timestamptz DEFAULT now(), text text);
INSERT INTO log (text) VALUES ('no key'), (NULL);

CREATE VIEW busy AS SELECT m.id, m.email, count(n.id) AS notes FROM members m LEFT JOIN notes n ON n.member_id = m.id GROUP BY m.id;
CREATE MATERIALIZED VIEW totals AS SELECT "order", sum(quantity * "unit price") AS total FROM "Order Lines" GROUP BY "order";
