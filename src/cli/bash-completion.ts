/**
 * What bash reads for completion. Needs nothing but bash (no package bash-completion), may be read twice, and hands the words on as
 * they stand: none of them is evaluated while somebody is still typing.
 */
export const bashCompletion = `# bash completion for tokeep

__tokeep_complete() {
    local cur="\${COMP_WORDS[COMP_CWORD]}" value directive=0
    local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
    words=("\${words[@]/#\\~\\//$HOME/}")
    COMPREPLY=()
    while IFS=$'\\t' read -r value _; do
        case "$value" in
            :*) directive="\${value#:}" ;;
            "$cur"*) COMPREPLY+=("$value") ;;
        esac
    done < <(tokeep complete -- "\${words[@]}" 2>/dev/null)
    # 4: names of files are no answer here
    if ((!(directive & 4))); then compopt -o default; fi
}

complete -F __tokeep_complete tokeep
`;
