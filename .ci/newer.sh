# Sourced. newer STAMP PATH...: true when the stamp is missing or a file under the paths is younger than it.
newer() {
    [ ! -e "$1" ] || [ -n "$(find "${@:2}" \( -name bin -o -name obj \) -prune -o -type f -newer "$1" -print -quit)" ]
}
