"""Ordinary bash of the kind a language model writes: name -> (code, stdout)."""

PROGRAMS = {
    "word count": (
        r'''text='the cat saw the dog and the dog saw the cat'
tr ' ' '\n' <<< "$text" | sort | uniq -c | sort -k1,1nr -k2 | head -n 3 | awk '{ print $2 ": " $1 }'
''',
        "the: 4\n"
        "cat: 2\n"
        "dog: 2\n",
    ),
    "sum a column": (
        r'''cat > sales.csv <<'END'
region,amount
north,10.50
south,4.00
north,2.25
END
awk -F, 'NR > 1 { total[$1] += $2 } END { for (r in total) printf "%-6s %6.2f\n", r, total[r] }' sales.csv | sort
rm sales.csv
''',
        "north   12.75\n"
        "south    4.00\n",
    ),
    "fizzbuzz": (
        r'''for ((n = 1; n <= 15; n++)); do
  out=
  ((n % 3)) || out+=Fizz
  ((n % 5)) || out+=Buzz
  printf '%s ' "${out:-$n}"
done
echo
''',
        "1 2 Fizz 4 Buzz Fizz 7 8 Fizz Buzz 11 Fizz 13 14 FizzBuzz \n",
    ),
    "primes": (
        r'''is_prime() {
  local n=$1 d
  ((n > 1)) || return 1
  for ((d = 2; d * d <= n; d++)); do ((n % d)) || return 1; done
}
for n in {1..50}; do is_prime "$n" && list+=("$n"); done
echo "${#list[@]} primes: ${list[*]}"
''',
        "15 primes: 2 3 5 7 11 13 17 19 23 29 31 37 41 43 47\n",
    ),
    "factorial": (
        r'''factorial() { if (($1 < 2)); then echo 1; else echo $(($1 * $(factorial $(($1 - 1))))); fi; }
factorial 15
''',
        "1307674368000\n",
    ),
    "gcd": (
        r'''gcd() { local a=$1 b=$2; while ((b)); do ((t = a % b, a = b, b = t, 1)); done; echo "$a"; }
gcd 1071 462; gcd 17 5
''',
        "21\n"
        "1\n",
    ),
    "bubble sort": (
        r'''a=(5 3 9 1 5 0)
for ((i = ${#a[@]} - 1; i > 0; i--)); do
  for ((j = 0; j < i; j++)); do
    if ((a[j] > a[j + 1])); then t=${a[j]}; a[j]=${a[j + 1]}; a[j + 1]=$t; fi
  done
done
echo "${a[@]}"
''',
        "0 1 3 5 5 9\n",
    ),
    "associative arrays": (
        r'''declare -A age=([Ada]=36 [Alan]=41)
age[Grace]=85
unset 'age[Alan]'
for name in $(printf '%s\n' "${!age[@]}" | sort); do echo "$name is ${age[$name]}"; done
echo "${#age[@]} ${age[nobody]-unknown}"
''',
        "Ada is 36\n"
        "Grace is 85\n"
        "2 unknown\n",
    ),
    "string cutting": (
        r'''file=/data/archive.2024.tar.gz
echo "${file##*/} ${file%/*} ${file##*.} ${file%%.*} ${#file}"
name=${file##*/}
echo "${name/2024/2025} ${name:0:7} ${name^^} ${name//a/A}"
''',
        "archive.2024.tar.gz /data gz /data/archive 25\n"
        "archive.2025.tar.gz archive ARCHIVE.2024.TAR.GZ Archive.2024.tAr.gz\n",
    ),
    "default values": (
        r'''unset x; y=
echo "${x:-none} ${y:-empty} ${y-set} ${x:=assigned} $x ${x:+there}"
(: "${missing:?must be given}") 2>/dev/null || echo "refused"
''',
        "none empty  assigned assigned there\n"
        "refused\n",
    ),
    "reading lines": (
        r'''printf 'one:1\ntwo:2\nthree:3\n' > pairs.txt
sum=0
while IFS=: read -r name value; do
  ((sum += value))
  printf '%s=%s;' "$name" "$value"
done < pairs.txt
echo " sum=$sum"
rm pairs.txt
''',
        "one=1;two=2;three=3; sum=6\n",
    ),
    "mapfile": (
        r'''mapfile -t lines <<< $'b\na\nc d'
echo "${#lines[@]}: ${lines[2]}"
readarray -d , -t parts <<< "x,y,z"
echo "${parts[1]}"
''',
        "3: c d\n"
        "y\n",
    ),
    "functions and return": (
        r'''add() { local -n into=$1; into=$(($2 + $3)); return 3; }
add total 4 5; echo "$total $?"
outer() { local v=inner; inner; }
inner() { echo "sees $v"; }
outer; echo "${v-unset}"
''',
        "9 3\n"
        "sees inner\n"
        "unset\n",
    ),
    "case and patterns": (
        r'''shopt -s extglob
for word in report.txt photo.JPG 2024 -v ''; do
  case $word in
    *.txt) echo text;;
    *.[jJ][pP][gG]) echo image;;
    +([0-9])) echo number;;
    -?) echo option;;
    *) echo "other '$word'";;
  esac
done
''',
        "text\n"
        "image\n"
        "number\n"
        "option\n"
        "other ''\n",
    ),
    "getopts": (
        r'''parse() {
  local OPTIND=1 option verbose=0 out=
  while getopts 'vo:' option; do
    case $option in v) verbose=1;; o) out=$OPTARG;; *) return 2;; esac
  done
  shift $((OPTIND - 1))
  echo "verbose=$verbose out=$out rest=$*"
}
parse -v -o file.txt a b
''',
        "verbose=1 out=file.txt rest=a b\n",
    ),
    "here document": (
        r'''name=world
cat <<END
hello $name, 6 * 7 = $((6 * 7))
END
cat <<'END'
literal $name
END
cat <<-END
	indented
	END
''',
        "hello world, 6 * 7 = 42\n"
        "literal $name\n"
        "indented\n",
    ),
    "regular expressions": (
        r'''for line in 'GET /a 200' 'POST /b 500' 'nonsense'; do
  if [[ $line =~ ^([A-Z]+)\ (/[^ ]*)\ ([0-9]{3})$ ]]; then
    echo "${BASH_REMATCH[2]} ${BASH_REMATCH[3]:0:1}xx"
  else
    echo "no match"
  fi
done
''',
        "/a 2xx\n"
        "/b 5xx\n"
        "no match\n",
    ),
    "grep": (
        r'''printf 'alpha\nBeta\ngamma\nbeta two\n' > words
grep -i '^beta' words
grep -c a words
grep -vn m words | cut -d: -f1 | paste -sd,
tr -cd 'aeiou\n' < words | sort -u | paste -sd' '
rm words
''',
        "Beta\n"
        "beta two\n"
        "4\n"
        "1,2,4\n"
        "aa ea eao\n",
    ),
    "sed edits": (
        r'''printf 'host = localhost\nport = 80\n# note\n' > app.conf
sed -i -e 's/^port = .*/port = 8080/' -e '/^#/d' app.conf
sed -n '2p' app.conf
sed 's/\(.*\) = \(.*\)/\2 <- \1/; 1!G; h; $!d' app.conf
rm app.conf
''',
        "port = 8080\n"
        "8080 <- port\n"
        "localhost <- host\n",
    ),
    "awk report": (
        r'''printf '10.0.0.1 GET 200 512\n10.0.0.2 GET 404 20\n10.0.0.1 POST 200 88\n' |
awk '{ hits[$1]++; bytes[$1] += $4; if ($3 >= 400) bad++ }
END { for (ip in hits) print ip, hits[ip], bytes[ip] | "sort"; close("sort"); print "errors", bad }'
''',
        "10.0.0.1 2 600\n"
        "10.0.0.2 1 20\n"
        "errors 1\n",
    ),
    "awk as a program": (
        r'''awk 'function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
BEGIN { for (i = 0; i < 10; i++) printf "%d%s", fib(i), i < 9 ? " " : "\n"; print length("hello"), toupper("x"), substr("hello", 2, 3) }'
''',
        "0 1 1 2 3 5 8 13 21 34\n"
        "5 X ell\n",
    ),
    "jq": (
        r'''json='{"users": [{"name": "Ada", "langs": ["c", "ml"]}, {"name": "Bo", "langs": []}]}'
jq -r '.users[] | "\(.name) \(.langs | length)"' <<< "$json"
jq -c '[.users[].langs[]] | sort | map(ascii_upcase)' <<< "$json"
jq --arg n Cy '.users += [{name: $n}] | .users | length' <<< "$json"
''',
        "Ada 2\n"
        "Bo 0\n"
        "[\"C\",\"ML\"]\n"
        "3\n",
    ),
    "jq and csv": (
        r'''printf 'name,age\nAda,36\nAlan,41\n' |
jq -R -s -c 'split("\n")[1:-1] | map(split(",") | {name: .[0], age: (.[1] | tonumber)}) | sort_by(-.age)'
jq -n -r '[["a", 1], ["b c", 2]] | .[] | @csv'
''',
        "[{\"name\":\"Alan\",\"age\":41},{\"name\":\"Ada\",\"age\":36}]\n"
        "\"a\",1\n"
        "\"b c\",2\n",
    ),
    "pipelines and status": (
        r'''set -o pipefail
seq 100 | grep 7 | wc -l
false | true; echo "pipe $? ${PIPESTATUS[*]}"
if ! grep -q x <<< abc; then echo "absent"; fi
! true || echo "not here"; echo $?
''',
        "19\n"
        "pipe 1 1 0\n"
        "absent\n"
        "not here\n"
        "0\n",
    ),
    "errexit and trap": (
        r'''(
  set -euo pipefail
  trap 'echo "cleanup $?"' EXIT
  trap 'echo "line $LINENO failed"' ERR
  echo working
  false
  echo unreachable
)
echo "status $?"
''',
        "working\n"
        "line 6 failed\n"
        "cleanup 1\n"
        "status 1\n",
    ),
    "background jobs": (
        r'''work() { sleep "0.0$1"; echo "done $1" > "out.$1"; return "$1"; }
for n in 3 1 2; do work "$n" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid"; codes+=($?); done
cat out.1 out.2 out.3
echo "${codes[*]}"
rm out.*
''',
        "done 1\n"
        "done 2\n"
        "done 3\n"
        "3 1 2\n",
    ),
    "coprocess": (
        r'''coproc CALC { while read -r a op b; do echo $((a $op b)); done; }
pid=$CALC_PID
echo '6 * 7' >&"${CALC[1]}"
read -r answer <&"${CALC[0]}"
echo "answer $answer"
exec {CALC[1]}>&-
wait "$pid"; echo "ended $?"
''',
        "answer 42\n"
        "ended 0\n",
    ),
    "files and folders": (
        r'''mkdir -p project/{src,doc}
touch project/src/{a,b}.c project/doc/read.me
find project -type f -name '*.c' | sort
mv project/src/a.c project/src/main.c
cp -r project copy && ls copy/src | paste -sd' '
[[ -d copy && ! -e copy/none ]] && echo "copied"
rm -r project copy
''',
        "project/src/a.c\n"
        "project/src/b.c\n"
        "b.c main.c\n"
        "copied\n",
    ),
    "permissions and links": (
        r'''echo data > file
chmod 640 file
ln -s file link
stat -c '%a %s %F' file
readlink link; cat link
[[ -L link && -r file && ! -x file ]] && echo "as expected"
rm file link
''',
        "640 5 regular file\n"
        "file\n"
        "data\n"
        "as expected\n",
    ),
    "temporary files": (
        r'''t=$(mktemp)
trap 'rm -f "$t"' EXIT
printf '%s\n' {1..5} > "$t"
head -n 2 "$t" | tail -n 1
wc -l < "$t"
[[ $t == /tmp/* || -n $TMPDIR ]] && echo kept
''',
        "2\n"
        "5\n"
        "kept\n",
    ),
    "compression": (
        r'''mkdir in && echo one > in/1.txt && seq 1000 > in/2.txt
gzip -k in/*.txt
(($(wc -c < in/2.txt.gz) < $(wc -c < in/2.txt))) && echo smaller
gunzip -c in/1.txt.gz; zcat in/2.txt.gz | tail -n 1
rm in/2.txt && gunzip in/2.txt.gz && wc -l < in/2.txt
rm -r in
''',
        "smaller\n"
        "one\n"
        "1000\n"
        "1000\n",
    ),
    "checksums": (
        r'''printf abc | sha256sum | cut -c 1-16
printf abc | md5sum | cut -d' ' -f1
printf 'hello' | base64 | tee copy | base64 -d; echo; cat copy; rm copy
printf abc | cksum | cut -d' ' -f1
printf 'AB' | od -An -tx1 | tr -d ' '
''',
        "ba7816bf8f01cfea\n"
        "900150983cd24fb0d6963f7d28e17f72\n"
        "hello\n"
        "aGVsbG8=\n"
        "1219131554\n"
        "4142\n",
    ),
    "dates": (
        r'''date -u -d '2024-02-28 +2 days' +%F
date -u -d @86400 '+%A %H:%M'
echo $((($(date -u -d 2024-12-25 +%s) - $(date -u -d 2024-12-01 +%s)) / 86400)) days
TZ=UTC0 printf '%(%Y-%m-%d)T\n' 0
''',
        "2024-03-01\n"
        "Friday 00:00\n"
        "24 days\n"
        "1970-01-01\n",
    ),
    "number formats": (
        r'''printf '%05d|%-6s|%6.2f|%x|%o|%e\n' 42 ab 3.14159 255 8 12345.678
echo $((0xff)) $((2#1010)) $((2 ** 10)) $((7 / 2)) $((-7 % 3))
printf '%q %s\n' "it's" "$(printf '\x41\u00e9')"
''',
        "00042|ab    |  3.14|ff|10|1.234568e+04\n"
        "255 10 1024 3 -1\n"
        "it\\'s Aé\n",
    ),
    "decimal arithmetic": (
        r'''awk 'BEGIN { printf "%.4f %.3f\n", 22 / 7, sqrt(2) }'
printf '%s\n' 1.5 2.25 3 | awk '{ s += $1; if (NR == 1 || $1 > m) m = $1 } END { print s, s / NR, m }'
''',
        "3.1429 1.414\n"
        "6.75 2.25 3\n",
    ),
    "column work": (
        r'''printf 'c 3\na 1\nb 2\n' > t
sort -k2,2n t | cut -d' ' -f1 | tr '\n' ' '; echo
printf 'a x\nb y\n' > u; sort t | join - u
paste -d: t t | head -n 1
nl -w 2 -s '. ' t | tail -n 1
rm t u
''',
        "a b c \n"
        "a 1 x\n"
        "b 2 y\n"
        "c 3:c 3\n"
        " 3. b 2\n",
    ),
    "transposing": (
        r'''printf '1 2 3\n4 5 6\n' | awk '{ for (i = 1; i <= NF; i++) row[i] = row[i] (NR > 1 ? " " : "") $i } END { for (i = 1; i <= NF; i++) print row[i] }'
''',
        "1 4\n"
        "2 5\n"
        "3 6\n",
    ),
    "find and xargs": (
        r'''mkdir d && for n in 1 2 3; do printf '%0.sx' $(seq $((n * 10))) > "d/f $n"; done
find d -type f -size -25c -print0 | sort -z | xargs -0 -n 1 basename
find d -type f -exec wc -c {} + | tail -n 1 | awk '{ print $1 }'
find d -name 'f 1' -delete; ls d | wc -l
rm -r d
''',
        "f 1\n"
        "f 2\n"
        "60\n"
        "2\n",
    ),
    "renaming many": (
        r'''touch img_{1..3}.jpeg
for f in *.jpeg; do mv "$f" "${f%.jpeg}.jpg"; done
ls *.jpg | sed 's/^img_//' | paste -sd,
shopt -s nullglob; left=(*.jpeg); echo "${#left[@]} left"
rm *.jpg
''',
        "1.jpg,2.jpg,3.jpg\n"
        "0 left\n",
    ),
    "stack and queue": (
        r'''stack=(); push() { stack+=("$1"); }; pop() { popped=${stack[-1]}; unset 'stack[-1]'; }
push a; push b; push c; pop; echo "$popped ${#stack[@]}"
queue=(1 2 3); first=${queue[0]}; queue=("${queue[@]:1}"); echo "$first: ${queue[*]}"
''',
        "c 2\n"
        "1: 2 3\n",
    ),
    "array slices": (
        r'''a=(zero one two three four)
echo "${a[@]:1:2} | ${a[@]: -2} | ${!a[*]}"
b=("${a[@]/o/0}"); echo "${b[*]}"
printf '<%s>' "${a[@]#t}"; echo
IFS=-; echo "${a[*]}"
''',
        "one two | three four | 0 1 2 3 4\n"
        "zer0 0ne tw0 three f0ur\n"
        "<zero><one><wo><hree><four>\n"
        "zero-one-two-three-four\n",
    ),
    "splitting and joining": (
        r'''IFS=, read -ra parts <<< 'a,b c,,d'
echo "${#parts[@]} '${parts[1]}' '${parts[2]}'"
join() { local IFS=$1; shift; echo "$*"; }
join + 1 2 3
echo $(($(join + {1..10})))
''',
        "4 'b c' ''\n"
        "1+2+3\n"
        "55\n",
    ),
    "recursion": (
        r'''hanoi() {
  local n=$1
  ((n == 0)) && return
  hanoi $((n - 1)) "$2" "$4" "$3"
  ((moves++))
  ((n == 3)) && echo "largest $2 to $3"
  hanoi $((n - 1)) "$4" "$3" "$2"
}
moves=0; hanoi 3 A C B; echo "$moves moves"
''',
        "largest A to C\n"
        "7 moves\n",
    ),
    "json by hand": (
        r'''escape() { local s=${1//\\/\\\\}; s=${s//\"/\\\"}; printf '"%s"' "${s//$'\n'/\\n}"; }
printf '{"text": %s, "n": %d}\n' "$(escape $'say "hi"\nback\\slash')" 3 | jq -c .
''',
        "{\"text\":\"say \\\"hi\\\"\\nback\\\\slash\",\"n\":3}\n",
    ),
    "log rotation": (
        r'''for n in {1..25}; do echo "entry $n"; done > app.log
split -l 10 -d -a 1 app.log app.log.
wc -l app.log.* | awk '$2 != "total" { print $2, $1 }'
tail -n 1 app.log.2
rm app.log*
''',
        "app.log.0 10\n"
        "app.log.1 10\n"
        "app.log.2 5\n"
        "entry 25\n",
    ),
    "markdown headings": (
        r'''cat > page.md <<'END'
# Title
text
## First part
### Detail
## Second part
END
grep -E '^#+ ' page.md | while IFS= read -r line; do
  marks=${line%% *}
  printf '%*s- %s\n' $((2 * (${#marks} - 1))) '' "${line#* }"
done
rm page.md
''',
        "- Title\n"
        "  - First part\n"
        "    - Detail\n"
        "  - Second part\n",
    ),
    "environment": (
        r'''export GREETING=hello
bash -c 'echo "$GREETING from a child"'
GREETING=bye sh -c 'echo $GREETING'
env -i A=1 sh -c 'echo "[$A] [${GREETING-unset}]"'
(GREETING=changed); echo "$GREETING"
''',
        "hello from a child\n"
        "bye\n"
        "[1] [unset]\n"
        "hello\n",
    ),
    "python from the shell": (
        r'''python3 - 3 4 <<'END'
import sys
print(sum(map(int, sys.argv[1:])))
END
python3 -c 'import json; print(json.dumps({"a": [1, 2]}))' | jq '.a | add'
''',
        "7\n"
        "3\n",
    ),
    "validating input": (
        r'''check() {
  [[ $1 =~ ^[0-9]+$ ]] || { echo "'$1' is no number" >&2; return 1; }
  ((10#$1 >= 1 && 10#$1 <= 65535)) || { echo "$1 is out of range" >&2; return 2; }
  echo "$1 is fine"
}
for port in 8080 007 abc 70000; do check "$port" 2>&1; echo "-> $?"; done
''',
        "8080 is fine\n"
        "-> 0\n"
        "007 is fine\n"
        "-> 0\n"
        "'abc' is no number\n"
        "-> 1\n"
        "70000 is out of range\n"
        "-> 2\n",
    ),
    "counting characters": (
        r'''text='hello wide world'
for ((i = 0; i < ${#text}; i++)); do printf '%s\n' "${text:i:1}"; done | grep -v ' ' | sort | uniq -c |
  sort -k1,1nr -k2 | head -n 2 | while read -r count letter; do echo "$letter$count"; done
rev <<< "$text"
''',
        "l3\n"
        "d2\n"
        "dlrow ediw olleh\n",
    ),
}
