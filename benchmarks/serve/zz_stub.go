package main

import "context"

func (b *bench) writes(ctx context.Context) error      { return nil }
func (b *bench) switchRuns(ctx context.Context) error  { return nil }
func (b *bench) overloaded(ctx context.Context) error  { return nil }
func (b *bench) agreement(ctx context.Context) error   { return nil }
func (b *bench) erasures(ctx context.Context) error    { return nil }
func (b *bench) killServers(ctx context.Context) error { return nil }
