# bash completion for belfryctl(1), made by: belfryctl completions bash
_belfryctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command= words= files= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c|--config|--socket|--timeout)
			((i++))
			;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $prev in
	-c|--config|--socket|--ca-file|--rules)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--timeout|--email|--name|--provider|--imap|--smtp|--user|--password-command|--token-command|--client-id|--client-secret-command|--credential|--pin|--port|--account|--mailbox|--now|--flags|--expect|--sort|--format|--rule|--since|--until|--outcome|-n|--limit)
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
		;;
	rules)
		words=' --english --sort'
		files=-f
		;;
	providers)
		words=''
		;;
	doctor)
		words=''
		;;
	status)
		words=' -f --follow --format'
		;;
	mailboxes)
		words=''
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
		;;
	reload)
		words=''
		;;
	notify)
		words=''
		;;
	apply)
		words=' --since --until --rule -n --dry-run --notify -y --yes --cancel'
		;;
	undo)
		words=' --rule --since -n --dry-run'
		;;
	pause)
		words=''
		;;
	resume)
		words=''
		;;
	completions)
		words=' bash zsh fish'
		;;
	help)
		words=' setup login check test explain rules providers doctor status mailboxes watch history report queue reload notify apply undo pause resume completions help probe'
		;;
	probe)
		words=' --mailbox'
		;;
	esac
	[[ $cur == -* ]] && words+=" $globals"
	COMPREPLY=($(compgen $files -W "$words" -- "$cur"))
}
complete -o filenames -F _belfryctl belfryctl
