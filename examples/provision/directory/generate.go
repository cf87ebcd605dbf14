//go:build ignore

// Generate writes people.csv and groups.csv: an invented company of about 1,200 people and 60 groups, the same at every run.
// It holds on purpose what real HR exports hold: names of many scripts, one-word names, e-mails in mixed case, accounts that are
// switched off, missing given names, two people with one e-mail, and members who are not in the file.
//
//	go generate ./examples/provision/directory
package main

import (
	"encoding/csv"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strings"
)

// culture holds names as people write them and as their e-mail spells them, given names and surnames.
type culture struct {
	weight         int
	given, surname []string // "written|ascii", or only one form when it is ASCII
}

var cultures = []culture{
	{
		22,
		words("Olivia Liam Emma Noah Charlotte James Amelia Lucas Harper Henry Jean-Luc|jean-luc Anne-Marie|anne-marie Grace Ethan Ruth Walter Mary-Kate|mary-kate D'Arcy|darcy"),
		words("Smith Johnson Baker O'Connor|oconnor O'Brien|obrien McAllister|mcallister Taylor-Lee|taylor-lee Fitzgerald Whitmore D'Angelo|dangelo Hughes Ng Price Abbott St.~John|stjohn Wright"),
	},
	{
		10,
		words("Zoë|zoe René|rene Chloé|chloe François|francois Hélène|helene Benoît|benoit Maëlle|maelle Loïc|loic Inès|ines Gaëtan|gaetan"),
		words("Lefèvre|lefevre Dupré|dupre Gagné|gagne Müller|mueller Béranger|beranger L'Hôpital|lhopital Côté|cote Saint-Exupéry|saint-exupery de~La~Tour|delatour Noël|noel"),
	},
	{
		10,
		words("Jürgen|juergen Björn|bjoern Käthe|kaethe Søren|soeren Åsa|aasa Jón|jon Þóra|thora Ægir|aegir Øystein|oeystein Märta|maerta Łukasz|lukasz Małgorzata|malgorzata"),
		words("Groß|gross Strömberg|stroemberg Sørensen|soerensen Ångström|aangstroem Sigurðardóttir|sigurdardottir Weiß-Krämer|weiss-kraemer von~Bülow|vonbuelow Wójcik|wojcik Błaszczykowski|blaszczykowski Hämäläinen|haemaelaeinen"),
	},
	{
		9,
		words("José|jose María|maria Begoña|begona Iñaki|inaki João|joao Conceição|conceicao Àngel|angel Lucía|lucia Núria|nuria"),
		words("García|garcia Núñez~de~Balboa|nunez Peña|pena Gonçalves|goncalves dos~Santos|dossantos Ibáñez|ibanez Muñoz-López|munoz-lopez Simões|simoes"),
	},
	{
		8,
		words("Jiří|jiri Šárka|sarka Đorđe|djordje Željka|zeljka Ștefan|stefan Ioana Gyöngyi|gyongyi Ágoston|agoston Çağla|cagla İbrahim|ibrahim Işıl|isil"),
		words("Dvořák|dvorak Černý|cerny Đukić|djukic Nőszály|noszaly Țepeș|tepes Yıldız|yildiz Şahin|sahin Öztürk|ozturk Kovačević|kovacevic"),
	},
	{
		6,
		words("Анна|anna Дмитрий|dmitry Олена|olena Георги|georgi Мария|maria Сергей|sergey"),
		words("Иваненко|ivanenko Петренко|petrenko Шевченко|shevchenko Стоян|stoyan Рыбак|rybak Коваль|koval"),
	},
	{3, words("Σοφία|sofia Γιώργος|giorgos Ελένη|eleni Νίκος|nikos"), words("Παπαδάκη|papadaki Αγγέλου|angelou Γεωργίου|georgiou Νικολάου|nikolaou")},
	{4, words("伟|wei 静怡|jingyi 浩然|haoran 芳|fang"), words("王|wang 欧阳|ouyang 李|li 陈|chen")},
	{4, words("さくら|sakura 健太|kenta ゆき子|yukiko 大輔|daisuke"), words("佐藤|sato 高橋|takahashi 渡辺|watanabe 小野寺|onodera")},
	{3, words("지민|jimin 현우|hyunwoo 서연|seoyeon"), words("김|kim 이|lee 박|park 남궁|namgung")},
	{4, words("ليلى|layla محمد|mohammed يوسف|youssef سارة|sara"), words("الهاشمي|alhashimi بن~سعيد|binsaid عبد~الرحمن|abdulrahman")},
	{2, words("נועה|noa איתן|eitan תמר|tamar"), words("חדד|haddad לוי|levi בן~דוד|bendavid")},
	{2, words("مریم|maryam کوروش|kourosh شیرین|shirin"), words("رضایی|rezaei کاظمی|kazemi")},
	{4, words("प्रिया|priya अर्जुन|arjun कविता|kavita"), words("शर्मा|sharma पटेल|patel त्रिवेदी|trivedi")},
	{2, words("কার্তিক|kartik অনন্যা|ananya"), words("মুখোপাধ্যায়|mukherjee সেন|sen")},
	{2, words("கார்த்திக்|karthik மீனா|meena"), words("சுப்பிரமணியன்|subramanian ராஜன்|rajan")},
	{2, words("สมชาย|somchai มาลี|malee"), words("ศรีสุวรรณ|srisuwan วงศ์ไทย|wongthai")},
	{3, words("Thị~Mai|thimai Đức|duc Hạnh|hanh"), words("Nguyễn|nguyen Trần|tran Phạm|pham")},
	{3, words("Nana Thandiwe Ọlá|ola Chukwuemeka"), words("Nkrumah Ọbásanjọ́|obasanjo Mkhize")},
	{1, words("አበበ|abebe ሰላም|selam"), words("ከበደ|kebede ታደሰ|tadesse")},
	{1, words("ნინო|nino გიორგი|giorgi"), words("ბერიძე|beridze კაპანაძე|kapanadze")},
	{1, words("Արամ|aram Անի|ani"), words("Սարգսյան|sargsyan Պետրոսյան|petrosyan")},
	{2, words("Kainoa Tāne|tane Leilani"), words("Kealoha Ngāta|ngata")},
}

// mononyms are people with one name, kept as the surname: HR systems have no other place for it.
var mononyms = words("Suharto Madhuri Teller Ratu Björk|bjork")

var departments = []string{
	"Engineering", "Engineering", "Engineering", "Product", "Design", "Sales", "Sales", "Marketing",
	"Support", "Finance", "Legal", "People", "Operations", "Research",
}

var titles = map[string][]string{
	"Engineering": {"Software Engineer", "Senior Software Engineer", "Site Reliability Engineer", "Engineering Manager"},
	"Product":     {"Product Manager", "Technical Writer"}, "Design": {"Designer", "User Researcher"},
	"Sales":     {"Account Executive", "Sales Engineer", "Partner Manager"},
	"Marketing": {"Content Strategist", "Events Lead"}, "Support": {"Support Engineer", "Support Lead"},
	"Finance": {"Accountant", "Controller"}, "Legal": {"Counsel"}, "People": {"Recruiter", "People Partner"},
	"Operations": {"Facilities Lead", "IT Administrator"}, "Research": {"Research Scientist"},
}

var sites = []string{"Aarhus", "Bengaluru", "Kraków", "Montréal", "Nairobi", "São Paulo", "Taipei", "Zürich"}

const people = 1200

type person struct {
	id, mail, given, surname, display, department, title, site, manager string
	enabled                                                             bool
}

func main() {
	log.SetFlags(0)
	r := rand.New(rand.NewPCG(7643, 7644))
	staff := hire(r)
	plant(staff)
	if err := write("people.csv", peopleRows(staff)); err != nil {
		log.Fatal(err)
	}
	if err := write("groups.csv", groupRows(r, staff)); err != nil {
		log.Fatal(err)
	}
}

// words splits a list; ~ stands for a space inside a name.
func words(list string) []string {
	fields := strings.Fields(list)
	for i, f := range fields {
		fields[i] = strings.ReplaceAll(f, "~", " ")
	}
	return fields
}

func spell(name string) (written, ascii string) {
	written, ascii, found := strings.Cut(name, "|")
	if !found {
		ascii = strings.ToLower(written)
	}
	return written, ascii
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func pickCulture(r *rand.Rand) culture {
	total := 0
	for _, c := range cultures {
		total += c.weight
	}
	n := r.IntN(total)
	for _, c := range cultures {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	return cultures[0]
}

func hire(r *rand.Rand) []person {
	staff := make([]person, people)
	taken := map[string]int{}
	for i := range staff {
		c := pickCulture(r)
		given, givenASCII := spell(pick(r, c.given))
		surname, surnameASCII := spell(pick(r, c.surname))
		local := givenASCII + "." + surnameASCII
		taken[local]++
		if n := taken[local]; n > 1 {
			local = fmt.Sprintf("%s%d", local, n)
		}
		department := pick(r, departments)
		staff[i] = person{
			id: fmt.Sprintf("E%05d", 10001+i), mail: spelling(r, local) + "@meridian.example",
			given: given, surname: surname, display: given + " " + surname,
			department: department, title: pick(r, titles[department]), site: pick(r, sites),
			enabled: r.IntN(25) != 0,
		}
		if i > 20 {
			staff[i].manager = staff[r.IntN(i/10+1)].id
		}
	}
	return staff
}

// spelling writes one address in eight with capitals, as people who typed it themselves did.
func spelling(r *rand.Rand, local string) string {
	if r.IntN(8) != 0 {
		return local
	}
	var b strings.Builder
	up := true
	for _, c := range local {
		if up {
			b.WriteString(strings.ToUpper(string(c)))
		} else {
			b.WriteRune(c)
		}
		up = c == '.' || c == '-'
	}
	return b.String()
}

// plant puts in what goes wrong in real exports, at fixed places.
func plant(staff []person) {
	for i, name := range mononyms {
		p := &staff[100+i*200]
		written, ascii := spell(name)
		p.given, p.surname, p.display = "", written, written
		p.mail = ascii + "@meridian.example"
	}
	// One mailbox for two people: a clerk copied a row. The case differs, which makes it no less the same mailbox.
	staff[640].mail = "Front.Desk@meridian.example"
	staff[641].mail = "front.desk@meridian.example"
	staff[640].enabled, staff[641].enabled = true, true
	// A name with a comma and quotes, and a very long one.
	staff[310].display, staff[310].surname = `Robert "Bob" Hughes, Jr.`, `Hughes, Jr.`
	staff[311].given = "Wolfeschlegelsteinhausenbergerdorff"
}

func peopleRows(staff []person) [][]string {
	rows := [][]string{{
		"employeeId", "userPrincipalName", "givenName", "surname", "displayName", "department", "jobTitle", "office",
		"manager", "accountEnabled",
	}}
	for _, p := range staff {
		rows = append(rows, []string{
			p.id, p.mail, p.given, p.surname, p.display, p.department, p.title, p.site, p.manager,
			strings.ToUpper(fmt.Sprint(p.enabled)),
		})
	}
	return rows
}

func groupRows(r *rand.Rand, staff []person) [][]string {
	rows := [][]string{{"groupId", "displayName", "description", "members"}}
	add := func(name, description string, members []string) {
		rows = append(rows, []string{fmt.Sprintf("G%03d", len(rows)), name, description, strings.Join(members, ";")})
	}
	where := func(match func(person) bool) []string {
		var ids []string
		for _, p := range staff {
			if match(p) {
				ids = append(ids, p.id)
			}
		}
		return ids
	}
	add("All Staff Announcements", "The nine hundred longest here", where(func(p person) bool { return p.id <= "E10900" }))
	for _, d := range []string{
		"Engineering", "Product", "Design", "Sales", "Marketing", "Support", "Finance", "Legal", "People", "Operations", "Research",
	} {
		add(d, "Everyone in "+d, where(func(p person) bool { return p.department == d }))
	}
	for _, s := range sites {
		add("Office "+s, "Everyone at "+s, where(func(p person) bool { return p.site == s }))
	}
	add("Leavers 2019", "Kept for the auditors", nil)
	add("Sandbox (unused)", "", nil)
	add("Café Committee", "Waiting for volunteers", nil)
	// Members who are not in the file: contractors whom HR does not keep.
	add("Contractors' Portal", "Some come from an agency", append(sample(r, staff, 6), "X90001", "X90002"))
	add("Site Visitors", "", append(sample(r, staff, 3), "X90003"))
	projects := words("Aurora Basalt Cinnabar Dovetail Ember Fjord Garnet Horizon Iris Juniper Kestrel Lagoon Marble Nimbus Opal Pelican Quartz Raven Saffron Tundra Umber Vesper Willow Xenon Yarrow Zephyr")
	for _, p := range projects {
		add("Project "+p, "API workspace", sample(r, staff, 4+r.IntN(22)))
	}
	add("Q&A \"Ask Me\" Hosts", "Quotes and an ampersand in a name", sample(r, staff, 5))
	add("Инженеры Кракова", "Kraków engineers, by their own name", sample(r, staff, 12))
	add("東京準備室", "Tokyo preparation room", sample(r, staff, 7))
	add("Team Ärzte & Söhne", "", sample(r, staff, 9))
	add("On-call Rotation", "", sample(r, staff, 14))
	add("API Guild", "", sample(r, staff, 60))
	add("Security Champions", "", sample(r, staff, 18))
	add("Release Managers", "", sample(r, staff, 8))
	add("Interns", "", sample(r, staff, 21))
	return rows
}

func sample(r *rand.Rand, staff []person, n int) []string {
	var ids []string
	for _, i := range r.Perm(len(staff))[:n] {
		ids = append(ids, staff[i].id)
	}
	return ids
}

func write(name string, rows [][]string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	if err := w.WriteAll(rows); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
