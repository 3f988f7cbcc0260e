package dev.doorbell.bus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("steps taken back, last first, whatever fails")
class RollbackTest {
  private final List<String> taken = new ArrayList<>();
  private final Rollback rollback = new Rollback();

  private void step(String name) {
    rollback.add(() -> taken.add(name));
  }

  private void failing(String name) {
    rollback.add(() -> {
      taken.add(name);
      throw new IllegalArgumentException(name);
    });
  }

  private static List<String> messages(Throwable of) {
    return List.of(of.getSuppressed()).stream().map(Throwable::getMessage).toList();
  }

  @Test
  @DisplayName("a failure stays what it was, and has what could not be taken back suppressed")
  void closeAfter() {
    step("one");
    failing("two");
    step("three");
    IllegalStateException failure = new IllegalStateException("the failure");
    rollback.closeAfter(failure);
    assertEquals(List.of("three", "two", "one"), taken);
    assertEquals(1, failure.getSuppressed().length);
    assertEquals(List.of("two"), messages(failure.getSuppressed()[0]));
    rollback.closeAfter(failure);
    assertEquals(3, taken.size());
  }

  @Test
  @DisplayName("closed by itself, it tells each step that failed")
  void close() {
    failing("one");
    failing("two");
    IllegalStateException e = assertThrows(IllegalStateException.class, rollback::close);
    assertEquals(List.of("two", "one"), messages(e));
    rollback.close();
  }

  @Test
  @DisplayName("nothing that was committed is taken back")
  void committed() {
    step("one");
    rollback.commit();
    step("two");
    rollback.closeAfter(new IllegalStateException());
    assertEquals(List.of("two"), taken);
  }
}
