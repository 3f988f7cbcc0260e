import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/// Rewrites jars whose classes have a format of before Java 6: the virtual machine keeps none of those in its cache of classes (JEP 483), because
/// they have no stack maps and are verified in the old way. What the classes do stays the same; jars without such classes stay as they are.
///
/// Usage: `java ClassFormat.java JAR...`
public final class ClassFormat {
  private ClassFormat() {}

  public static void main(String[] jars) throws IOException {
    for (String jar : jars) {
      Path file = Path.of(jar);
      byte[] rewritten = rewrite(file);
      if (rewritten.length > 0) {
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        Files.write(beside, rewritten);
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
      }
    }
  }

  /// {@return the jar with new classes; nothing when it has no old ones}
  private static byte[] rewrite(Path file) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int changed = 0;
    try (JarFile in = new JarFile(file.toFile());
        JarOutputStream to = new JarOutputStream(out)) {
      ClassFile format =
          ClassFile.of(
              ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
              // With the old pool, method bodies would be copied as they are, without stack maps.
              ClassFile.ConstantPoolSharingOption.NEW_POOL,
              ClassFile.ClassHierarchyResolverOption.of(
                  ClassHierarchyResolver.ofResourceParsing(name -> entry(in, name.descriptorString()))
                      .orElse(ClassHierarchyResolver.defaultResolver())));
      for (Enumeration<JarEntry> all = in.entries(); all.hasMoreElements(); ) {
        JarEntry e = all.nextElement();
        byte[] bytes = in.getInputStream(e).readAllBytes();
        if (e.getName().endsWith(".class")) {
          ClassModel old = format.parse(bytes);
          if (old.majorVersion() < ClassFile.JAVA_6_VERSION) {
            bytes =
                format.transformClass(
                    old,
                    ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL)
                        .andThen(
                            ClassTransform.endHandler(
                                b -> b.withVersion(ClassFile.JAVA_8_VERSION, 0))));
            changed++;
          }
        }
        JarEntry copy = new JarEntry(e.getName());
        copy.setTime(e.getTime());
        to.putNextEntry(copy);
        to.write(bytes);
        to.closeEntry();
      }
    }
    return changed == 0 ? new byte[0] : out.toByteArray();
  }

  private static java.io.InputStream entry(JarFile in, String descriptor) {
    JarEntry e = in.getJarEntry(descriptor.substring(1, descriptor.length() - 1) + ".class");
    try {
      return e == null ? null : in.getInputStream(e);
    } catch (IOException x) {
      throw new java.io.UncheckedIOException(x);
    }
  }
}
