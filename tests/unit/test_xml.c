/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/xml.h"

#include <errno.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"

static void test_answer(void)
{
	static const char text[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				   "<DescribeSnapshotsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
				   "  <requestId>r</requestId>\n"
				   "  <snapshotSet>\n"
				   "    <item><snapshotId>snap-1</snapshotId><status>pending</status><tagSet/></item>\n"
				   "    <!-- between -->\n"
				   "    <item><snapshotId>snap-2</snapshotId><description>a &lt;b&gt; &amp; "
				   "&#99;<![CDATA[<d>]]>e</description></item>\n"
				   "    <other/>\n"
				   "  </snapshotSet>\n"
				   "</DescribeSnapshotsResponse>\n";
	CLEANUP_XML struct xml *x = NULL;
	struct error err = ERROR_INIT;
	const struct xml_node *item;

	need(xml_parse(text, sizeof(text) - 1, "answer", &x, &err) == 0, "parsed (%s)", err.message);
	ok_str(xml_name(xml_root(x)), "DescribeSnapshotsResponse", "the root's name, without its namespace");
	ok_str(xml_text(xml_root(x), "requestId"), "r", "a text");
	item = xml_find(xml_root(x), "snapshotSet/item");
	need(item, "an item");
	ok_str(xml_text(item, "snapshotId"), "snap-1", "the first one");
	ok_str(xml_text(item, "tagSet"), "", "an empty element has an empty text");
	ok(!xml_text(item, "description"), "one that is not there has none");
	item = xml_next(item);
	need(item, "another item");
	ok_str(xml_text(item, "snapshotId"), "snap-2", "the second one");
	ok_str(xml_text(item, "description"), "a <b> & c<d>e", "a text in pieces is one");
	ok_str(xml_text(xml_find(item, "snapshotId"), NULL), "snap-2", "an element's own text");
	ok(!xml_next(item), "no third");
	ok(!xml_find(xml_root(x), "snapshotSet/none/item"), "a path that breaks off");
	ok(!xml_find(xml_root(x), "item"), "a path that leaves out a step");
}

static void refuse(const char *text, const char *what)
{
	struct error err = ERROR_INIT;
	struct xml *x = NULL;

	ok_int(xml_parse(text, strlen(text), "ec2:X", &x, &err), -EIO, "refused: %s", what);
	ok_error(&err, "ec2:X: the answer is", "says whose answer");
	ok(!strstr(err.message, "secret"), "and not what is in it");
	ok(!x, "and nothing comes out");
}

static void test_refused(void)
{
	CLEANUP_BUF struct buf deep = BUF_INIT(SIZE_MAX), large = BUF_INIT(SIZE_MAX);

	refuse("", "nothing");
	refuse("<a><secret></a>", "an element that is not closed");
	refuse("secret", "no XML");
	refuse("<!DOCTYPE a [<!ENTITY b \"secret\">]><a>&b;</a>", "an entity");
	refuse("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "a document type elsewhere");
	refuse("<a>&secret;</a>", "an entity that there is not");
	for (int i = 0; i < 100000; i++)
		need(buf_add(&deep, "<a>", 3) == 0, "a deep text");
	refuse(buf_text(&deep), "elements in elements without end");
	need(buf_fill(&large, ' ', XML_ANSWER_MAX + 1) == 0, "a large text");
	refuse(buf_text(&large), "too large");
}

int main(void)
{
	test_answer();
	test_refused();
	return tap_done();
}
