package main

import "github.com/spf13/cobra"

func (c *cli) trainCommand() *cobra.Command { return &cobra.Command{Use: "train"} }
