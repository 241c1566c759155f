package report
import ("testing";"os";"time";"fmt")
func TestZZ(t *testing.T){ s:=time.Now(); b,err:=Render(sample()); fmt.Println(time.Since(s),len(b),err); os.WriteFile("/tmp/runwork/report.html",b,0o644)
s=time.Now(); Render(sample()); fmt.Println(time.Since(s)) }
