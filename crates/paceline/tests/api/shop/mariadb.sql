-- The same on MariaDB, with its own types.

SET sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,NO_AUTO_VALUE_ON_ZERO';

CREATE TABLE members (
    id int AUTO_INCREMENT PRIMARY KEY,
    email varchar(40) NOT NULL UNIQUE,
    password_hash text,
    boss_id int REFERENCES members (id) ON DELETE SET NULL
);
INSERT INTO members (email, boss_id) VALUES ('ada@example.com', NULL), ('bob@example.com', 1), ('zoë@example.com', 1);

CREATE TABLE "values" (
    id bigint unsigned PRIMARY KEY,
    tiny tinyint NOT NULL DEFAULT 0,
    middle mediumint unsigned,
    big bigint unsigned NOT NULL DEFAULT 18446744073709551615,
    single float NOT NULL DEFAULT 0.1,
    "double" double DEFAULT -1e308,
    price decimal(20, 4) NOT NULL DEFAULT 1.5,
    flag boolean NOT NULL DEFAULT 2,
    one bit,
    bits bit(9) NOT NULL DEFAULT b'101000001',
    name varchar(300) NOT NULL DEFAULT '',
    code char(5),
    latin varchar(20) CHARACTER SET latin1 NOT NULL DEFAULT 'é',
    folded text COLLATE utf8mb4_unicode_ci,
    mood enum('calm', 'über froh', 'it''s bad') NOT NULL DEFAULT 'calm',
    colours set('red', 'green') NOT NULL DEFAULT 'red,green',
    bytes blob,
    fixed binary(4),
    day date DEFAULT '0000-00-00',
    local datetime(6),
    moment timestamp NOT NULL DEFAULT '2026-11-26 00:00:00',
    span time DEFAULT '-838:59:59',
    birth year DEFAULT 1999,
    document json,
    token uuid DEFAULT uuid(),
    address inet6 DEFAULT '::1',
    spot point,
    secret_place int INVISIBLE,
    doubled int AS (tiny * 2) STORED,
    CHECK (price >= 0)
);
INSERT INTO "values" (id) VALUES (1), (9223372036854775807), (18446744073709551615);
INSERT INTO "values" (id, day, moment, local, document, code, bytes, one, spot)
    VALUES (2, '2026-00-00', '0000-00-00 00:00:00', '9999-12-31 23:59:59.999999', ' {"a": 1, "a": [1.50]}', 'é', x'00ff', 1, POINT(1.5, -2));

CREATE TABLE "Order Lines" (
    "order" int NOT NULL,
    "Product, code" varchar(20) NOT NULL,
    quantity smallint NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    "unit price" decimal(9, 2),
    PRIMARY KEY ("order", "Product, code")
);
INSERT INTO "Order Lines" VALUES (1, 'a,b', 1, 2.50), (1, '%2C/?#', 2, NULL), (2, '', 3, 0.10), (2, 'ü "x"', 99, 1);

CREATE TABLE tags (name varchar(60) COLLATE utf8mb4_bin PRIMARY KEY, about text);
INSERT INTO tags (name) VALUES ('a'), ('.'), ('..'), ('b/c'), ('%'), ('ß ');

CREATE TABLE tagged (
    "order" int NOT NULL,
    "Product, code" varchar(20) NOT NULL,
    tag varchar(60) COLLATE utf8mb4_bin NOT NULL REFERENCES tags (name) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY ("order", "Product, code", tag),
    FOREIGN KEY ("order", "Product, code") REFERENCES "Order Lines" ("order", "Product, code") ON DELETE CASCADE
);
INSERT INTO tagged VALUES (1, 'a,b', 'a'), (1, 'a,b', 'b/c'), (2, '', 'a');

CREATE TABLE notes (
    id uuid PRIMARY KEY DEFAULT uuid(),
    member_id int NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    body text NOT NULL CHECK (body <> ''),
    rank int UNIQUE
);
INSERT INTO notes (member_id, body, rank) VALUES (1, 'mine', 1), (2, 'another''s', 2), (1, 'mine too', NULL);

CREATE TABLE log (at timestamp DEFAULT now(), text text);
INSERT INTO log (text) VALUES ('no key'), (NULL);

CREATE VIEW busy AS SELECT m.id, m.email, count(n.id) AS notes FROM members m LEFT JOIN notes n ON n.member_id = m.id GROUP BY m.id;
CREATE VIEW totals AS SELECT "order", sum(quantity * "unit price") AS total FROM "Order Lines" GROUP BY "order";
