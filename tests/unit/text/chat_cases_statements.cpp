// Statements, scopes and white space, with what Jinja2 3.1 gave for it.
#include "tests/unit/text/chat_cases.h"

namespace lathe::text {

const std::vector<ChatCase> kStatementCases = {
    // clang-format off
    {"{% set x = 1 %}{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "3121"},
    {"{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{"
     " ns.x }}",
     "6"},
    {"{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex"
     "0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nexti"
     "tem }}{{ loop.depth }}{{ loop.cycle('a','b') }};{% endfor %}",
     "1032TrueFalse311a;2121FalseFalse3321b;3210FalseTrue311a;"},
    {"{% for i in l if i > 1 %}{{ i }}{{ loop.last }}{{ loop.length }}{% else %}none{% end"
     "for %}",
     "3False22True2"},
    {"{% for i in [] %}{{ i }}{% else %}none{% endfor %}", "none"},
    {"{% for i in l if i > 10 %}{{ i }}{% else %}none{% endfor %}", "none"},
    {"{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "b=1;a=2;"},
    {"{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}", "a=2;b=1;"},
    {"{% for (a, b) in nested %}{{ a }}{{ b }};{% endfor %}", "12;34;"},
    {"{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% br"
     "eak %}{% endif %}{{ i }}{% endfor %}",
     "0134"},
    {"{% for c in u %}{{ c }}.{% endfor %}", "Z.ü.r.i.c.h. .日.本."},
    {"{% for i in nope %}x{% else %}y{% endfor %}", "y"},
    {"{% macro m(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c="
     "3) }} {{ m(b=1) }} {{ m(1,2,3) }}",
     "1-2-1 1-2-3 -1- 1-2-3"},
    {"{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}",
     "(2, 3){'x': 4}"},
    {"{% macro m(a) %}{{ a }}{% endmacro %}{{ m.name }}{{ m() }}|{{ m() is string }}", "m|True"},
    {"{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) "
     "}}",
     "543210"},
    {"{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "2"},
    {"{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "2"},
    {"{% macro m() %}{% set x = 5 %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}{{ x }}", "52"},
    {"{% macro m() %}a\n  b\n{% endmacro %}[{{ m() }}][{{ m()|trim|length }}]", "[a\n  b\n][5]"},
    {"{% set x %}abc{{ n }}{% endset %}{{ x|length }}{{ x }}", "4abc7"},
    {"{% set x | upper | replace('A', 'q') %}abc{{ n }}{% endset %}{{ x }}", "qBC7"},
    {"{% set a, b = 1, 2 %}{{ a }}{{ b }}", "12"},
    {"{% set (a, b) = (1, 2) %}{{ a }}{{ b }}", "12"},
    {"{% set x = 1, 2 %}{{ x }}", "(1, 2)"},
    {"{% filter upper %}abc{{ s }}{% endfilter %}", "ABCHELLO WORLD"},
    {"{% filter upper|replace('A','x') %}abc{% endfilter %}", "xBC"},
    {"{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}", "17"},
    {"{% with %}{% set q = 1 %}{% endwith %}{{ q }}", ""},
    {"{% generation %}x{% set q = 1 %}{{ q }}{% endgeneration %}{{ q }}", "x1"},
    {"{% raw %}{{ x }}{% if %}{% endraw %}", "{{ x }}{% if %}"},
    {"a {%- raw -%}  {{ x }}  {%- endraw -%} b", "a{{ x }}b"},
    {"a\n  {% raw %}\n  x\n  {% endraw %}\n b", "a\n\n  x\n b"},
    {"a {# comment #} b", "a  b"},
    {"a\n  {# comment #}\n b", "a\n b"},
    {"a {#- comment -#} b", "ab"},
    {"a\n  {%+ if true %}\n  b\n  {%- endif +%}\n c", "a\n    b\n c"},
    {"a\n  {% if true %}\n  b\n  {% endif %}\n c\n", "a\n  b\n c"},
    {"a\n\t {% if true %} x {% endif %}\n\n", "a\n x "},
    {"  {{ n }}\n  {{- n }}  \n  {{ n -}}  \n x\n\n", "  77  \n  7x\n"},
    {"{% if false %}a{% elif n == 7 %}b{% else %}c{% endif %}", "b"},
    {"{% if nope %}a{% else %}c{% endif %}", "c"},
    {"{% if l|select('>', 10) %}gen{% endif %}", "gen"},
    {"{% set g = l|select('odd') %}{{ g|list }}{{ g|list }}", "[3, 1][]"},
    {"{% set g = l|map('string') %}{{ g|first }}{{ g|first }}{{ g|list }}", "31['2']"},
    {"{% set g = l|map('string') %}{{ '1' in g }}{{ g|list }}", "True['2']"},
    {"{% if false %}{{ s|foo }}{% endif %}ok", "ok"},
    {"{% if false %}{{ s is foo }}{% endif %}ok", "ok"},
    {"{% set ns = namespace() %}{% set ns.a = [] %}{% for i in l %}{% set ns.a = ns.a + [i"
     "] %}{% endfor %}{{ ns.a }}",
     "[3, 1, 2]"},
    {"{% print n, s %}", "7Hello World"},
    {"{% if '%}' == '%}' %}x{% endif %}", "x"},
    {"x{{- 1 -}}  y", "x1y"},
    {"x  {{- 1 -}}  y", "x1y"},
    {"{%- for m in messages %}\n    {%- if m.role == 'user' %}\n        {{- m.content }}\n"
     "    {%- endif %}\n{%- endfor %}",
     "what's up?\n"},
    {"{% for m in messages -%}\n  {{ m.role }}: {{ m.content }}\n{% endfor %}",
     "system:  Hi there \nuser: what's up?\n\nassistant: None\ntool: äöü ß\n"},
    {"{% for m in messages %}\n{{ m.role }}\n{% endfor %}\nend",
     "system\nuser\nassistant\ntool\nend"},
    {"{% for x in [1,2,3] %}{% for y in [1,2] %}{{ loop.index }}{{ x }}{{ y }} {% endfor %"
     "}{{ loop.index }}{% endfor %}",
     "111 212 1121 222 2131 232 3"},
    {"{% for x in l %}{% set outer = loop %}{% for y in l %}{{ outer.index }}{{ loop.index"
     " }} {% endfor %}{% endfor %}",
     "11 12 13 21 22 23 31 32 33 "},
    {"{%- macro show(v, indent='') -%}\n{%- if v is mapping -%}\n{%- for k, x in v.items()"
     " %}\n{{ indent }}{{ k }}:{{ show(x, indent + '  ') }}\n{%- endfor -%}\n{%- elif v is"
     " iterable and v is not string -%}\n{%- for x in v %}\n{{ indent }}- {{ show(x, inden"
     "t ~ '  ') }}\n{%- endfor -%}\n{%- else %} {{ v }}{%- endif -%}\n{%- endmacro -%}\n{{"
     " show(tools) }}{{ show(messages) }}",
     "-   type: function  function:    name: f    description: d <b> & 'q' \"qq\"    param"
     "eters:      type: object      properties:        x:          type: integer        it"
     "ems:          type: array      required:        -  x-   role: system  content:  Hi t"
     "here -   role: user  content: what's up?\n-   role: assistant  content: None  tool_c"
     "alls:    -       type: function      function:        name: f        arguments:     "
     "     x: 1          y:            -  True            -  None            -  2.5-   rol"
     "e: tool  content: äöü ß  n: 3"},
    {"{% set x = n if n > 5 else none %}{{ x }}", "7"},
    {"{% set args = {'a': 1, 'b': 2} %}{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m"
     "(**args) }}{{ m(*[3,4]) }}",
     "1234"},
    {"{% if true %}{% set z = 1 %}{% endif %}{{ z }}", "1"},
    {"{% for i in l %}{% if loop.first %}{% set z = 1 %}{% endif %}{{ z }}{% endfor %}", "1"},
    {"{% if n: %}x{% endif %}", "x"},
    {"{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "B"},
    {"{% for i in l %}{% macro q() %}{{ i }}{% endmacro %}{{ q() }}{% endfor %}", "312"},
    {"{% set x = dict(d, c=3) %}{{ x }}{{ d }}", "{'b': 1, 'a': 2, 'c': 3}{'b': 1, 'a': 2}"},
    {"{%- set x -%}  a  {%- endset -%}[{{ x }}]", "[a]"},
    {"{{-n-}} {{+n}}", "77"},
    {"{% for m in messages[::-1] %}{{ m.role }}{% endfor %}", "toolassistantusersystem"},
    {"{% for m in messages[1:] if m.role != 'tool' %}{{ loop.index0 }}{{ m.role }}{% endfo"
     "r %}",
     "0user1assistant"},
    {"{%for i in l%}{{i}}{%endfor%}", "312"},
    {"a\n\n{%- if true %}\n\n b{% endif -%}\n\n c", "a\n bc"},
    {"{% set tool_calls = messages[2].tool_calls %}{% for tc in tool_calls %}{{ tc.functio"
     "n.name }}{{ tc['function']['arguments'].items()|list }}{% endfor %}",
     "f[('x', 1), ('y', [True, None, 2.5])]"},
    // clang-format on
};

} // namespace lathe::text
