package generate
import ("testing";"context";"fmt")
func TestZ(t *testing.T){
 p,_:=newPopulation(context.Background(), Options{Records:100000, Seed:3})
 hh:=&household{}
 var c [8]int
 for h:=uint64(0);h<p.households;h++ { p.compose(hh,h); if p.count(hh)==[3]int{} {continue}; p.name(hh); 
  for i:=range hh.n { ps:=&hh.persons[i]; if ps.counts==[3]int{} {continue}; c[0]++
   ct:=p.contactOf(hh,ps); last:=ps.surnameAt(ct.emails[0]); fam:=&p.tab.surnames.entries[hh.surname]
   of:=last.b==nil&&last.a.fold==fam.fold&&last.a.lang==fam.lang
   switch { case !hh.adultSlot(i): c[1]++; case !of: c[2]++; case !fam.owner: c[3]++; case ps.call!=0: c[4]++; case !ps.rank.firstOfName: c[5]++; default: c[6]++ } }}
 fmt.Println("all kid notfam notowner second rank bare", c)
}
