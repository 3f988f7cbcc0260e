package dev.doorbell.arch;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaConstructorCall;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("exemplars 2.11 rules 3, 5, 6, 7, 9, 11, 13: what classes may do")
class ConductTest {
  private static final Set<String> RESTRICTED =
      Set.of("reinterpret", "downcallHandle", "upcallStub", "libraryLookup");
  private static final Set<String> BARE_THROWABLES =
      Set.of(
          "java.lang.Throwable",
          "java.lang.Exception",
          "java.lang.RuntimeException",
          "java.lang.Error");
  private static final Set<String> CLOCKS =
      Set.of(
          "java.lang.System.currentTimeMillis",
          "java.lang.System.nanoTime",
          "java.lang.Math.random",
          "java.util.UUID.randomUUID",
          "java.time.Clock.systemUTC",
          "java.time.Clock.systemDefaultZone");
  private static final Set<String> RANDOMS =
      Set.of(
          "java.util.Random",
          "java.util.SplittableRandom",
          "java.security.SecureRandom",
          "java.util.concurrent.ThreadLocalRandom");

  @Test
  @DisplayName("3: vfio names no MSI address and no MSI datum, neither as a type nor as a member")
  void vfioDoesNotKnowMessages() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      if (Product.room(type).equals("vfio")) {
        type.getDirectDependenciesFromSelf().stream()
            .filter(d -> d.getTargetClass().getSimpleName().contains("MsiMessage"))
            .forEach(d -> wrong.add(d.getDescription()));
        for (JavaMember member : type.getMembers()) {
          if (member.getName().matches("(?i).*(msi|msg|message)_?(addr|data|datum).*")) {
            wrong.add(member.getFullName());
          }
        }
      }
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  @DisplayName("5: restricted native calls happen in linux alone")
  void nativeCallsInLinuxOnly() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      for (JavaCall<?> call : type.getCodeUnitCallsFromSelf()) {
        boolean foreign = call.getTargetOwner().getPackageName().equals("java.lang.foreign");
        if (foreign && RESTRICTED.contains(call.getName()) && !Product.room(type).equals("linux")) {
          wrong.add(call.getDescription());
        }
      }
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  @DisplayName("6: nobody reaches into the JDK")
  void noJdkInternals() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jdk.internal..", "sun..", "com.sun..")
        .check(Product.classes());
  }

  @Test
  @DisplayName("7: standard output and error belong to cli and to the examples, which are programs")
  void printingInCliOnly() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      if (!Set.of("cli", "examples").contains(Product.room(type))) {
        for (JavaAccess<?> access : type.getAccessesFromSelf()) {
          boolean stream =
              access.getTargetOwner().isEquivalentTo(System.class)
                  && Set.of("out", "err", "in").contains(access.getName());
          if (stream || access.getName().equals("printStackTrace")) {
            wrong.add(access.getDescription());
          }
        }
      }
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  @DisplayName("9: nobody throws RuntimeException, Exception or Error as such")
  void noBareThrowables() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      for (JavaConstructorCall call : type.getConstructorCallsFromSelf()) {
        String target = call.getTargetOwner().getName();
        boolean own =
            call.getOrigin().isConstructor()
                && type.getRawSuperclass().map(s -> s.getName().equals(target)).orElse(false);
        if (BARE_THROWABLES.contains(target) && !own) {
          wrong.add(call.getDescription());
        }
      }
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  @DisplayName("9: an exception is the abstract base of its room, or a final leaf")
  void exceptionsAreFinalOrAbstract() {
    Set<String> wrong = new TreeSet<>();
    int exceptions = 0;
    for (JavaClass type : Product.classes()) {
      if (type.isAssignableTo(Throwable.class)) {
        exceptions++;
        Set<JavaModifier> modifiers = type.getModifiers();
        if (!modifiers.contains(JavaModifier.FINAL) && !modifiers.contains(JavaModifier.ABSTRACT)) {
          wrong.add(type.getName());
        }
      }
    }
    assertEquals(Set.of(), wrong);
    assertEquals(true, exceptions > 0, "there are exceptions to look at");
  }

  @Test
  @DisplayName("11: clocks and randomness come from outside")
  void noClocksNoRandomness() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      for (JavaCall<?> call : type.getCodeUnitCallsFromSelf()) {
        String owner = call.getTargetOwner().getName();
        String target = owner + "." + call.getName();
        boolean now = owner.startsWith("java.time.") && call.getName().equals("now");
        if (CLOCKS.contains(target) || RANDOMS.contains(owner) || now) {
          wrong.add(type.getName() + " " + target);
        }
      }
    }
    Allowances.check("clocks", "clocks and randomness are injected", wrong);
  }

  @Test
  @DisplayName("13: cli and web know of hardware only what its Walkers return")
  void peopleDoNotKnowHardware() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      if (List.of("cli", "web").contains(Product.room(type))) {
        type.getDirectDependenciesFromSelf().stream()
            .filter(d -> Product.room(d.getTargetClass()).startsWith("hw."))
            .filter(d -> !d.getTargetClass().getName().contains("Walk"))
            .forEach(d -> wrong.add(d.getDescription()));
      }
    }
    assertEquals(Set.of(), wrong);
  }
}
