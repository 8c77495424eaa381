# Rewrites a meson.build so that its C++ sources are compiled in groups, because most of the time of a plain build goes
# into reading the same headers again for each of some 260 small files. Each group is one generated file that includes
# its sources, in the order of meson.build; sources that clash with others stay alone.
#
#   awk -v pattern='^src/' -v groups=8 -v into=src/unity -v alone='a.cpp b.cpp' -f amalgamate.awk meson.build >new
#
# pattern: which of the quoted sources to group; others are left where they are. into: where the groups are written,
# relative to meson.build, whose directory is the working directory. The first pass over the file only counts.

function basename(path) {
  sub(/.*\//, "", path)
  return path
}

# The source that a line of a list names, or nothing.
function source(line) {
  if (line !~ /^ +'[^']+\.(cpp|cc)',$/) return ""
  gsub(/^ +'|',$/, "", line)
  if (line !~ pattern || basename(line) in isAlone) return ""
  return line
}

BEGIN {
  split(alone, names, " ")
  for (i in names) isAlone[names[i]] = 1
  up = into
  gsub(/[^\/]+/, "..", up)

  while ((getline line < ARGV[1]) > 0) {
    path = source(line)
    if (path == "") continue
    # The size of a source stands for the time that it takes.
    size = 0
    while ((getline text < path) > 0) size += length(text)
    close(path)
    sizes[path] = size
    total += size
  }
  close(ARGV[1])
}

{
  path = source($0)
  if (path == "") {
    print
    next
  }
  group = int(seen * groups / total)
  seen += sizes[path]
  unit = into "/" group ".cpp"
  if (!(unit in started)) {
    started[unit] = 1
    printf "" > unit
    print "  '" unit "',"
  }
  # Each source of the worker defines this for its own log messages.
  print "#include \"" up "/" path "\"\n#undef MS_CLASS" > unit
}
