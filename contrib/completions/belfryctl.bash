# bash completion for belfryctl(1), made by: belfryctl completions bash
_belfryctl_names()
{
	local name begun=${cur//\\/} quote=${cur%%[!\"\']*}
	local -a found=("${COMPREPLY[@]}")
	begun=${begun#[\"\']}
	while IFS= read -r name; do
		[[ $name != "$begun"* ]] && continue
		[[ -n $quote && $name == *[\"\'\`\$\\!]* ]] && continue
		found+=("$name")
	done < <("$program" "${place[@]}" completions "$1" 2>/dev/null)
	compopt +o filenames 2>/dev/null
	COMPREPLY=()
	for name in "${found[@]}"; do
		[[ -z $quote ]] && printf -v name %q "$name"
		COMPREPLY+=("$name")
	done
}
_belfryctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${1:-belfryctl} command= words= files= names= i
	local -a place=()
	COMPREPLY=()
	if [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == = ]]; then
		cur=
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c|--config|--socket)
			place+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			((i++))
			;;
		--timeout)
			((i++))
			;;
		-*) ;;
		*)
			[[ -z $command ]] && command=${COMP_WORDS[i]}
			;;
		esac
	done
	case $prev in
	-c|--config|--ca-file|--rules)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
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
		words=' -f --follow --format'
		;;
	mailboxes)
		words=''
		names=accounts
		;;
	watch)
		words=''
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
	mapfile -t COMPREPLY < <(compgen $files -W "$words" -- "$cur")
	[[ -n $names && $cur != -* ]] && _belfryctl_names "$names"
}
complete -o filenames -F _belfryctl belfryctl
