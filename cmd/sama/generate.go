package main

import "github.com/spf13/cobra"

func (c *cli) generateCommand() *cobra.Command { return &cobra.Command{Use: "generate"} }
