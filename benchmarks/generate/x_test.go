package generate
import ("testing";"fmt";"time")
func TestX(t *testing.T){ s:=time.Now(); x:=loadTables(); fmt.Println(time.Since(s)); fmt.Println(len(x.surnames.entries), x.listed, x.surnames.total, len(x.first)); n:=0; for _,p:=range x.places {n+=len(p.codes)}; fmt.Println(n); 
for i:=0;i<309;i+=60 { fmt.Println(x.places[i].name, x.places[i].swedish, x.places[i].codes)}
o:=0; for _,e:=range x.surnames.entries { if e.owner {o++}}; fmt.Println("owners",o)
for l,ts:=range x.first { for s,f:=range ts { fmt.Print(l," ",s," ",len(f.entries)," ",f.total, " ", f.entries[0].text,"; ") }; fmt.Println(len(x.byLang[l].entries), x.byLang[l].entries[0], x.byLang[l].total) }
}
