// Package sqlite3 stands in for the cgo driver that gorm.io/driver/sqlite
// imports for its side effect only. Frontline registers modernc.org/sqlite
// instead, so the real one would only cost a C compiler.
package sqlite3
