-- The rows of library.db. Make it anew with: sqlite3 library.db < seed.sql

CREATE TABLE authors (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  born INTEGER NOT NULL,
  notes TEXT
);

CREATE TABLE books (
  id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL REFERENCES authors (id),
  title TEXT NOT NULL CHECK (title <> ''),
  published INTEGER NOT NULL,
  updated_at TEXT NOT NULL DEFAULT '2026-01-01T00:00:00.000Z'
);

CREATE INDEX books_author_id ON books (author_id);
CREATE INDEX books_published ON books (published);

INSERT INTO authors (id, name, born, notes) VALUES
  (1, 'Charlotte Brontë', 1816, 'signed as Currer Bell'),
  (2, 'Karel Čapek', 1890, NULL),
  (3, 'Selma Lagerlöf', 1858, 'first edition lent out'),
  (4, 'Machado de Assis', 1839, NULL),
  (5, 'Mary Shelley', 1797, NULL);

INSERT INTO books (id, author_id, title, published) VALUES
  (1, 1, 'Jane Eyre', 1847),
  (2, 1, 'Shirley', 1849),
  (3, 1, 'Villette', 1853),
  (4, 2, 'Krakatit', 1924),
  (5, 2, 'Válka s mloky', 1936),
  (6, 3, 'Gösta Berlings saga', 1891),
  (7, 3, 'Kejsarn av Portugallien', 1914),
  (8, 4, 'Memórias Póstumas de Brás Cubas', 1881),
  (9, 4, 'Dom Casmurro', 1899),
  (10, 5, 'Frankenstein', 1818),
  (11, 5, 'The Last Man', 1826);
