package dev.doorbell.stress;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// Runs test classes until one test fails, and says in its last line `green`, or `red:` and which.
public final class TestRun {
  private TestRun() {}

  /// @param args names of test classes
  public static void main(String[] args) {
    AtomicReference<String> red = new AtomicReference<>("");
    int[] passed = new int[1];
    TestExecutionListener listener =
        new TestExecutionListener() {
          @Override
          public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (result.getStatus() == TestExecutionResult.Status.SUCCESSFUL) {
              passed[0] += test.isTest() ? 1 : 0;
            } else if (result.getStatus() == TestExecutionResult.Status.FAILED
                && red.compareAndSet("", name(test))) {
              result.getThrowable().ifPresent(t -> System.out.println(t));
              System.out.println("red: " + red.get());
              System.out.flush();
              Runtime.getRuntime().halt(1);
            }
          }
        };
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(Arrays.stream(args).map(DiscoverySelectors::selectClass).toList())
                .build(),
            listener);
    System.out.println(passed[0] > 0 ? "green: %d tests".formatted(passed[0]) : "no test ran");
    System.out.flush();
    Runtime.getRuntime().halt(passed[0] > 0 ? 0 : 2);
  }

  private static String name(TestIdentifier test) {
    return switch (test.getSource().orElse(null)) {
      case MethodSource m -> m.getJavaClass().getSimpleName() + "." + m.getMethodName();
      case ClassSource c -> c.getJavaClass().getSimpleName();
      case null, default -> test.getDisplayName();
    };
  }
}
