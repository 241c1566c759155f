package main

import "github.com/spf13/cobra"

func (c *cli) evaluateCommand() *cobra.Command { return &cobra.Command{Use: "evaluate"} }
