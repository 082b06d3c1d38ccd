# SPDX-License-Identifier: GPL-2.0-only
# bash completion for cxl-vfio(8)

_cxl_vfio()
{
	local word=${COMP_WORDS[COMP_CWORD]} command='' i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
	done
	COMPREPLY=()
	if [[ $word == = || ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		# The value of an option: a file, for --guest and --report
		mapfile -t COMPREPLY < <(compgen -f -- "${word#=}")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--json --persist --force --topology --yes --rounds= --guest= --guest-time= --report= --full --root= --help --version' -- "$word")
	elif [[ -z $command ]]; then
		mapfile -t COMPREPLY < <(compgen -W 'list bind unbind status qemu xml check doctor' -- "$word")
	elif [[ $command == @(list|bind|unbind|status|qemu|xml|check) ]]; then
		# Addresses have colons, at which bash breaks words
		local before=${COMP_LINE:0:COMP_POINT}
		before=${before##* }
		# qemu and xml take several addresses, each of them once
		local given=${COMP_LINE:0:COMP_POINT-${#before}}
		mapfile -t COMPREPLY < <(compgen -W "$(cxl-vfio list 2>/dev/null |
			awk -v given="$given" 'NR > 1 && $1 ~ /:/ && !index(given, $1) { print $1 }')" -- "$before")
		declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$before"
	fi
}
complete -F _cxl_vfio cxl-vfio
