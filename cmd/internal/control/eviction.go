package control

import (
	"context"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/shardctl/shardctl/batch"
)

// WarnOfEviction warns, before a run is opened, of a Redis that drops data when its memory is full, as far as it tells.
func WarnOfEviction(ctx context.Context, rdb redis.UniversalClient, log *slog.Logger) {
	if text := batch.EvictionWarning(ctx, rdb); text != "" {
		log.Warn(text)
	}
}
