# bash completion for belfryctl(1), made by: belfryctl completions bash
# What was typed of this command, as words without their quotes: "cur", the one
# that is completed, "prev" and those before in "typed". Of --NAME=VALUE the
# value is "cur". Readline replaces "cur" only from a character on that divides
# words for it, and from an @ itself: "kept" is what stands before that.
# "quote": one is open.
_belfryctl_read()
{
	local line=${COMP_LINE:0:COMP_POINT} word= c i began= skip=0
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		if [[ $c == \\ && $quote != \' ]]; then
			((i++))
			word+=${line:i:1} began=1
		elif [[ -n $quote && $c == "$quote" ]]; then
			quote=
		elif [[ -n $quote ]]; then
			word+=$c
		elif [[ $c == [\"\'] ]]; then
			quote=$c began=1 skip=${#word}
		elif [[ $c == [[:blank:]] ]]; then
			[[ -n $began ]] && typed+=("$word")
			word= began= skip=0
		else
			word+=$c began=1
			[[ $COMP_WORDBREAKS == *"$c"* ]] && skip=${#word}
			[[ $c == @ ]] && ((skip > 0)) && ((skip--))
		fi
	done
	prev=${typed[${#typed[@]} - 1]} kept=${word:0:skip} cur=$word
	if [[ $word == --*=* ]]; then
		prev=${word%%=*} cur=${word#*=}
		kept=${kept#"$prev"} kept=${kept#=}
	fi
}
# Names come from servers and files, and who types Tab runs what is inserted:
# they are quoted here, as readline leaves $ and ` as they are. Behind an open
# quote only those are offered that need no care.
_belfryctl_names()
{
	local name
	local -a found=("${COMPREPLY[@]}")
	while IFS= read -r name; do
		[[ $name != "$cur"* ]] && continue
		[[ -n $quote && $name == *[\"\'\`\$\\!]* ]] && continue
		found+=("$name")
	done < <("$program" "${place[@]}" completions "$1" 2>/dev/null)
	compopt +o filenames 2>/dev/null
	COMPREPLY=()
	for name in "${found[@]}"; do
		name=${name#"$kept"}
		[[ -z $quote ]] && printf -v name %q "$name"
		COMPREPLY+=("$name")
	done
}
_belfryctl_files()
{
	mapfile -t COMPREPLY < <(compgen "$@" -- "$cur")
	COMPREPLY=("${COMPREPLY[@]#"$kept"}")
}
_belfryctl()
{
	local program=${1:-belfryctl} cur= prev= kept= quote=
	local command= words= files= names= i
	local -a typed=() place=()
	COMPREPLY=()
	_belfryctl_read
	program=${program/#'~/'/"$HOME/"}
	for ((i = 1; i < ${#typed[@]}; i++)); do
		case ${typed[i]} in
		-c|--config|--socket)
			place+=("${typed[i]}" "${typed[i + 1]/#'~/'/"$HOME/"}")
			((i++))
			;;
		-c*|--config=*|--socket=*)
			place+=("${typed[i]}")
			;;
		--timeout)
			((i++))
			;;
		-*) ;;
		*)
			[[ -z $command ]] && command=${typed[i]}
			;;
		esac
	done
	case $prev in
	-c|--config|--ca-file|--rules)
		_belfryctl_files -f
		return
		;;
	--socket)
		_belfryctl_files -f
		return
		;;
	--name|--account)
		_belfryctl_names accounts
		return
		;;
	--expect|--rule)
		_belfryctl_names rules
		return
		;;
	--mailbox)
		_belfryctl_names mailboxes
		return
		;;
	--provider)
		_belfryctl_names providers
		return
		;;
	--format)
		COMPREPLY=($(compgen -W 'waybar i3blocks polybar' -- "$cur"))
		return
		;;
	--sort)
		COMPREPLY=($(compgen -W 'file hits last time' -- "$cur"))
		return
		;;
	--outcome)
		COMPREPLY=($(compgen -W 'done failed skipped unknown open observed' -- "$cur"))
		return
		;;
	--timeout|--email|--imap|--smtp|--user|--password-command|--token-command|--client-id|--client-secret-command|--credential|--pin|--port|--now|--flags|--since|--until|-n|--limit)
		return
		;;
	esac
	local globals=' -c --config --json --socket --timeout --no-color -h --help --version'
	case $command in
	'')
		words=' setup login check test explain rules providers doctor status mailboxes watch history report queue reload notify apply undo pause resume completions help probe'
		;;
	setup)
		words=' --email --name --provider --imap --smtp --user --keyring --in-file --password-command --token-command --client-id --client-secret-command --credential --ca-file --pin --ask-list --no-test --start -y --yes'
		;;
	login)
		words=' --browser --device --no-open --port --forget'
		names=accounts
		;;
	check)
		words=' --settings'
		files=-f
		;;
	test)
		words=' --rules --account --mailbox --now --flags --new-sender --expect --brief --summary -v --verbose'
		files=-f
		;;
	explain)
		words=' --rules --account --mailbox --now --flags --new-sender --expect -v --verbose'
		files=-f
		names=places
		;;
	rules)
		words=' --english --sort'
		files=-f
		;;
	providers)
		words=''
		names=providers
		;;
	doctor)
		words=''
		names=accounts
		;;
	status)
		words=' -f --follow --format --no-reconnect'
		;;
	mailboxes)
		words=''
		names=accounts
		;;
	watch)
		words=' --no-reconnect'
		;;
	history)
		words=' --account --mailbox --rule --since --until --outcome -n --limit'
		;;
	report)
		words=' --since'
		files=-f
		;;
	queue)
		words=' --account --anyway show retry release drop resume'
		names=forwards
		;;
	reload)
		words=''
		;;
	notify)
		words=''
		;;
	apply)
		words=' --since --until --rule -n --dry-run --notify -y --yes --cancel'
		names=places
		;;
	undo)
		words=' --rule --since -n --dry-run'
		names=places
		;;
	pause)
		words=''
		names=accounts
		;;
	resume)
		words=''
		names=accounts
		;;
	completions)
		words=' bash zsh fish'
		;;
	help)
		words=' setup login check test explain rules providers doctor status mailboxes watch history report queue reload notify apply undo pause resume completions help probe'
		;;
	probe)
		words=' --mailbox'
		names=accounts
		;;
	esac
	[[ $cur == -* ]] && words+=" $globals"
	_belfryctl_files $files -W "$words"
	[[ -n $names && $cur != -* ]] && _belfryctl_names "$names"
}
complete -o filenames -F _belfryctl belfryctl
