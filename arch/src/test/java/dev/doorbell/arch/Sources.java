package dev.doorbell.arch;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.Trees;
import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/// Our sources as the compiler parses them: rules about text see no comment, no string and no generic type by mistake.
final class Sources {
  static final List<String> MODULES =
      List.of("testkit", "core", "qemu", "linux", "diff", "bench", "cli", "examples", "arch");

  private static final Trees TREES;
  private static final List<Unit> UNITS = new ArrayList<>();

  /// One source file.
  record Unit(Path file, CompilationUnitTree tree) {
    /// {@return path below the project's root, with `/`}
    String name() {
      return ProjectRoot.path().relativize(file).toString().replace('\\', '/');
    }

    boolean isMain() {
      return name().contains("/src/main/java/") && !name().startsWith("testkit/");
    }

    long line(long position) {
      return tree.getLineMap().getLineNumber(position);
    }
  }

  static {
    try {
      JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
      StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, files, null, null, null, files.getJavaFileObjectsFromPaths(paths()));
      TREES = Trees.instance(task);
      for (CompilationUnitTree tree : task.parse()) {
        UNITS.add(new Unit(Path.of(tree.getSourceFile().toUri()), tree));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the sources cannot be read", e);
    }
  }

  private Sources() {}

  static List<Unit> all() {
    return List.copyOf(UNITS);
  }

  static List<Unit> main() {
    return UNITS.stream().filter(Unit::isMain).toList();
  }

  static Trees trees() {
    return TREES;
  }

  private static List<Path> paths() throws IOException {
    List<Path> paths = new ArrayList<>();
    for (String module : MODULES) {
      Path src = ProjectRoot.path().resolve(module).resolve("src");
      if (Files.isDirectory(src)) {
        try (Stream<Path> found = Files.walk(src)) {
          found.filter(file -> file.toString().endsWith(".java")).sorted().forEach(paths::add);
        }
      }
    }
    return paths;
  }
}
