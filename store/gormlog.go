package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// gormLogger passes gorm's reports to slog without statements: gorm would
// print them with their values, and the values are people's data.
type gormLogger struct{ log *slog.Logger }

func (g gormLogger) LogMode(logger.LogLevel) logger.Interface { return g }

func (g gormLogger) Info(context.Context, string, ...any) {}

func (g gormLogger) Warn(_ context.Context, msg string, args ...any) {
	g.log.Warn("database", "err", fmt.Sprintf(msg, args...))
}

func (g gormLogger) Error(_ context.Context, msg string, args ...any) {
	g.log.Error("database", "err", fmt.Sprintf(msg, args...))
}

const slowQuery = 500 * time.Millisecond

func (g gormLogger) Trace(_ context.Context, begin time.Time, _ func() (string, int64), err error) {
	if took := time.Since(begin); took > slowQuery && (err == nil || errors.Is(err, gorm.ErrRecordNotFound)) {
		g.log.Warn("slow database call", "took", took.String())
	}
}
