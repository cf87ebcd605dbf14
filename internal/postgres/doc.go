// Package postgres has what the packages that keep data in PostgreSQL have in common: how they connect, how they bring
// their tables to the newest version, and which errors mean that one should try again.
package postgres
