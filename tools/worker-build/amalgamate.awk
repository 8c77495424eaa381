# Rewrites a meson.build so that its C++ sources are compiled in groups, because most of the time of a plain build goes
# into reading the same headers again for each of some 260 small files. Each group is one generated file that includes
# its sources in the order of meson.build. The result goes to standard output.
#
#   awk -v pattern='^src/' -v groups=8 -v into=src/groups -v alone='a.cpp b.cpp' -f amalgamate.awk meson.build
#
# pattern: which of the quoted sources to group; the others stay as they are. into: where to write the groups, relative
# to meson.build's directory, which must be the working directory. alone: files that clash with others of their group.

function basename(path) {
  sub(/.*\//, "", path)
  return path
}

# The source that a line of a list names and that is to be grouped, or nothing.
function source(line) {
  if (line !~ /^ +'[^']+\.(cpp|cc)',$/) return ""
  gsub(/^ +'|',$/, "", line)
  return line ~ pattern && !(basename(line) in isAlone) ? line : ""
}

BEGIN {
  split(alone, names, " ")
  for (i in names) isAlone[names[i]] = 1
  up = into
  gsub(/[^\/]+/, "..", up)

  # The groups are to take about the same time each, which the size of a source predicts well enough.
  while ((getline line < ARGV[1]) > 0) {
    path = source(line)
    if (path == "") continue
    while ((getline text < path) > 0) sizes[path] += length(text)
    close(path)
    total += sizes[path]
  }
  close(ARGV[1])
}

{
  path = source($0)
  if (path == "") {
    print
    next
  }
  unit = into "/" int(seen * groups / total) ".cpp"
  seen += sizes[path]
  if (!(unit in started)) {
    started[unit] = 1
    print "  '" unit "',"
  }
  # Each source of the worker defines MS_CLASS for its own log messages.
  print "#include \"" up "/" path "\"\n#undef MS_CLASS" > unit
}
