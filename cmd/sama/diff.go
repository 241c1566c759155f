package main

import "github.com/spf13/cobra"

func (c *cli) diffCommand() *cobra.Command { return &cobra.Command{Use: "diff"} }
