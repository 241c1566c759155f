package measure

import "os"

// peakOf returns 0: the system does not tell it of a finished process.
func peakOf(*os.ProcessState) int64 { return 0 }
